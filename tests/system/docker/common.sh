#!/bin/bash
# Read by run, and by inside.sh on a host of its own: how a check is told, and what containers say.
failures=0

die() {
	echo "docker: $*" >&2
	exit 1
}

check() {
	local text=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "OK $text"
	else
		echo "FAILED $text: $said"
		failures=$((failures + 1))
	fi
}

verdict() { ((failures == 0)) || die "$failures checks failed"; }

image() { docker build -q -t "$@" >/dev/null 2>"$TESTBED/build" || die "no image $1: $(tail -n 3 "$TESTBED/build")"; }

# soon COMMAND…: it succeeds within half a minute, which a busy machine may need.
soon() {
	local i
	for ((i = 0; i < 300; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	"$@"
}

# To the end: a grep that leaves early would break the pipe, and fail it.
says() { docker logs "$1" 2>&1 | grep -- "$2" >/dev/null; }
# told CONTAINER PATTERN: the probe in the container writes it soon.
told() {
	soon says "$@" && return
	docker logs "$1" 2>&1 | tail -n 5
	return 1
}

# A check each second, so that the test need not wait half a minute.
probe() { docker run -d --health-interval 1s --health-timeout 3s --health-retries 2 "$@" -e DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true ebpfless; }
