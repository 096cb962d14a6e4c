#!/bin/sh
# shellcheck disable=SC2016,SC2317 # shells inside the tracer expand it; functions are called by soon
# Runs inside a virtual machine, with busybox and the programs: a line for each check, OK, FALLBACK or FAILED.
export DD_RUNTIME_SECURITY_CONFIG_ENABLED=true DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true NO_COLOR=1
found=/tmp/found.json
failures=0

ok() { echo "OK $*"; }
bad() {
	echo "FAILED $*"
	failures=$((failures + 1))
}

# is TEXT WANT GOT
is() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: $3, not $2"; fi; }

# soon COMMAND…: it succeeds within twenty seconds; the processor is emulated.
soon() {
	n=0
	while [ "$n" -lt 100 ]; do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.2
		n=$((n + 1))
	done
	return 1
}

told() { grep '"evt":' "$found" | grep -q "$1"; } # what has no evt is a notice of the probe itself
trace() { cws-instrumentation trace "$@"; }

echo "kernel $(uname -r)"
cp /bin/busybox /tmp/busybox-hostile
system-probe run --policies /policies -o "$found" --port-file /tmp/port 2>/tmp/probe.log &
probe=$!
if soon test -s /tmp/port; then ok "the probe listens"; else bad "the probe does not listen: $(cat /tmp/probe.log)"; fi

for mode in "" --disable-seccomp; do
	trace $mode -- /bin/sh -c 'exit 42' 2>/tmp/err
	is "wrapped $mode: exit code" 42 $?
	trace $mode -- /bin/sh -c 'kill -TERM $$' 2>/tmp/err
	is "wrapped $mode: death by a signal" 143 $?
	rm -f "/tmp/out$mode"
	trace $mode -- /bin/sh -c 'i=0; while [ $i -lt 50 ]; do (:) & i=$((i + 1)); done; wait; echo done' >"/tmp/out$mode" 2>/tmp/err
	is "wrapped $mode: a storm of forks" "done" "$(cat "/tmp/out$mode")"
	trace $mode -- /bin/sh -c "cat /tmp/secret$mode; /tmp/busybox-hostile true wrapped$mode" >/dev/null 2>&1
	if soon told "wrapped$mode\""; then ok "wrapped $mode: exec is detected"; else bad "wrapped $mode: exec is not detected"; fi
	if soon told "\"/tmp/secret$mode\""; then ok "wrapped $mode: open is detected"; else bad "wrapped $mode: open is not detected"; fi
done

trace --verbose -- /bin/true 2>&1 | grep -i seccomp | head -n 3

sh -c 'while [ ! -e /tmp/go ]; do sleep 0.2; done; cat /tmp/secret-attached; /tmp/busybox-hostile true attached; sleep 1' >/dev/null 2>&1 &
application=$!
trace --pid "$application" 2>/tmp/attach.log &
sleep 2
: >/tmp/go
if soon told 'secret-attached'; then ok "attached: open is detected"; else bad "attached: open is not detected: $(cat /tmp/attach.log)"; fi
wait "$application"
is "attached: exit code" 0 $?

trace -- /bin/sh -c '/tmp/busybox-hostile sh -c "sleep 100; :" killme' >/dev/null 2>&1
is "a rule kills" 137 $?

# The tracing loop is killed under load: the application must not notice.
trace -- /bin/sh -c 'i=0; while [ $i -lt 1500 ]; do cat /etc/passwd >/dev/null || exit 1; i=$((i + 1)); done; echo unharmed' >/tmp/out 2>/tmp/err &
tracer=$!
sleep 2
n=0
killed=0
while [ "$n" -lt 20 ] && [ "$killed" -lt 5 ]; do
	loop=$(awk '$1 == "TracerPid:" && $2 != 0 { print $2; exit }' /proc/[0-9]*/status 2>/dev/null)
	if [ -n "$loop" ] && kill -KILL "$loop"; then killed=$((killed + 1)); fi
	n=$((n + 1))
	sleep 0.5
done
wait "$tracer"
is "the tracer is killed five times: exit code" 0 $?
is "the tracer is killed five times: kills" 5 "$killed"
is "the tracer is killed five times: output" unharmed "$(cat /tmp/out)"

/tmp/busybox-hostile sh -c 'sleep 3; :' plain
if soon told 'plain"'; then ok "what no tracer reports is detected"; else bad "what no tracer reports is not detected"; fi
grep -o 'the kernel.s proc connector tells of all programs\|/proc is read every [^ ]*' /tmp/probe.log | head -n 1

kill -TERM "$probe"
wait "$probe"
is "the probe ends well" 0 $?
exit "$((failures > 0))"
