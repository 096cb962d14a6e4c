#!/bin/sh
{{.Header}}
# Made by cwsctl: {{.What}}. "cwsctl unwrap {{.Name}}" takes it away.
set -eu

pidfile={{quote .PIDFile}}
log={{quote .Log}}

# What is started: it keeps the process id that it is started with.
launch() {
{{- range .Environment}}
	export {{quote .}}
{{- end}}
{{- if .UMask}}
	umask {{quote .UMask}}
{{- end}}
	cd {{quote .Directory}}
{{- if .User}}
	uid=$(id -u {{quote .User}})
	gid=$(id -g {{quote .User}})
{{- end}}
	exec{{range .Before}} {{quote .}}{{end}}{{if .User}} --uid "$uid" --gid "$gid"{{end}}{{range .Command}} {{quote .}}{{end}}
}

# When a process began, in ticks since the boot: its id alone may have become another's.
began() {
	[ -r "/proc/$1/stat" ] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

running() {
	[ -s "$pidfile" ] || return 1
	{ read -r pid && read -r since; } <"$pidfile" || return 1
	[ "$(began "$pid")" = "$since" ]
}

start() {
	running && return 0
	(launch) </dev/null >>"$log" 2>&1 &
	printf '%s\n%s\n' "$!" "$(began $!)" >"$pidfile.new"
	mv "$pidfile.new" "$pidfile"
	sleep 1
	running || { echo "it ended at once: see $log" >&2; rm -f "$pidfile"; return 1; }
}

stop() {
	running || { rm -f "$pidfile"; return 0; }
	kill -TERM "$pid" 2>/dev/null || :
	tries=0
	while running; do
		tries=$((tries + 1))
		if [ "$tries" = 30 ]; then kill -KILL "$pid" 2>/dev/null || :; fi
		[ "$tries" -lt 40 ] || { echo "process $pid does not end" >&2; return 1; }
		sleep 1
	done
	rm -f "$pidfile"
}

case "${1:-}" in
start | stop | restart | force-reload | try-restart | condrestart)
	[ "$(id -u)" = 0 ] || { echo "$0 $1: only root can do that" >&2; exit 4; }
	[ -x {{quote .Program}} ] || [ "$1" = stop ] || { echo {{quote .Program}} is missing >&2; exit 5; }
	;;
esac

case "${1:-}" in
start) start ;;
stop) stop ;;
restart | force-reload)
	stop
	start
	;;
try-restart | condrestart)
	running || exit 0
	stop
	start
	;;
status)
	if running; then
		echo "running, process $pid"
	elif [ -e "$pidfile" ]; then
		echo "dead, and $pidfile is left"
		exit 1
	else
		echo "not running"
		exit 3
	fi
	;;
*)
	echo "Usage: $0 {start|stop|restart|force-reload|try-restart|condrestart|status}" >&2
	exit 2
	;;
esac
