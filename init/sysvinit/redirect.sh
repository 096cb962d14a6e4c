#!/bin/sh
# Made by cwsctl for the services that it has wrapped; the last "cwsctl unwrap" takes it away. Init scripts source it through
# /lib/lsb/init-functions, so that a wrapped service starts behind its tracer also when its own script is called, as upgrades
# of its package do. Behind the tracer the script goes on, and the daemon need not know.
case ${CWS_WRAPPED:-}${1:-} in
start | restart | reload | force-reload | try-restart | condrestart)
	if [ "$0" = "/etc/init.d/${0##*/}" ] && [ -x "/etc/init.d/cws-wrap-${0##*/}" ]; then
		exec "/etc/init.d/cws-wrap-${0##*/}" "$1"
	fi
	;;
esac
unset CWS_WRAPPED
