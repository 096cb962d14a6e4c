#!/bin/sh
{{.Header}}
# Made by cwsctl: runs another init script behind a tracer. "cwsctl unwrap {{.Name}}" gives its place back to it.
set -eu

script={{quote .Script}}
tracer={{quote .Tracer}}

# The daemon that the script starts is traced with it. Without a tracer it starts all the same.
traced() {
	if [ ! -x "$tracer" ]; then
		echo "$tracer is missing: $script runs untraced" >&2
		"$script" "$1"
		return
	fi
	"$tracer" trace{{range .Flags}} {{quote .}}{{end}} -- "$script" "$1"
}

case "${1:-}" in
start | stop | restart | reload | force-reload | try-restart | condrestart)
	# LSB's exit codes: 5 for what is not installed, 4 for too little privilege.
	[ -x "$script" ] || { echo "$script is missing" >&2; exit 5; }
	[ "$(id -u)" = 0 ] || { echo "$0 $1: only root can do that" >&2; exit 4; }
	;;
status)
	[ -x "$script" ] || { echo "$script is missing" >&2; exit 4; }
	;;
esac

case "${1:-}" in
# Scripts restart for a reload where they know nothing better, so that is traced, too.
start | reload | force-reload)
	traced "$1"
	;;
stop | status)
	exec "$script" "$1"
	;;
restart)
	"$script" stop || echo "$script stop: exit status $?" >&2
	traced start
	;;
try-restart | condrestart)
	"$script" status >/dev/null 2>&1 || exit 0
	"$script" stop || echo "$script stop: exit status $?" >&2
	traced start
	;;
*)
	echo "Usage: $0 {start|stop|restart|reload|force-reload|try-restart|condrestart|status}" >&2
	exit 2
	;;
esac
