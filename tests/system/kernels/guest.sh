#!/bin/sh
# shellcheck disable=SC2016,SC2317 # shells inside the tracer expand it; functions are called by soon
# Runs inside a virtual machine, with busybox and the programs: a line for each check, OK, FALLBACK or FAILED.
export DD_RUNTIME_SECURITY_CONFIG_ENABLED=true DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true NO_COLOR=1
found=/tmp/found.json
policies=/policies
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

# detected TEXT PATTERN
detected() { if soon told "$2"; then ok "$1"; else bad "$1: $2 was not told of"; fi; }
told() { grep '"evt":' "$found" | grep -q "$1"; } # what has no evt is a notice of the probe itself
trace() { cws-instrumentation trace "$@"; }

# serve COMMAND…: a probe, behind a command or none, that writes to $found
serve() {
	rm -f /tmp/port "$found"
	"$@" system-probe run --policies "$policies" -o "$found" --port-file /tmp/port 2>/tmp/probe.log &
	probe=$!
	if soon test -s /tmp/port; then ok "the probe listens"; else bad "the probe does not listen: $(cat /tmp/probe.log)"; fi
}

leave() {
	kill -TERM "$probe"
	wait "$probe"
	is "the probe ends well" 0 $?
}

features() {
	cwsctl doctor >/tmp/doctor 2>&1
	sed -n 's/^ok  *features  */the kernel has /p' /tmp/doctor
	sed -n 's/^ *without /FALLBACK without /p' /tmp/doctor
	trace --verbose --probe-addr= -- /bin/true >/tmp/verbose 2>&1
	is "trace --verbose names what the doctor names" "$(grep -o 'without .*' /tmp/doctor)" "$(grep -o 'without .*' /tmp/verbose)"
	if grep -q 'not looked at on a traced' /tmp/doctor; then bad "the doctor could not trace: $(cat /tmp/doctor)"; fi
	announced="every system call stops"
	if grep -q 'without seccomp filter' /tmp/doctor; then
		is "the lack of filters is announced" 1 "$(trace --probe-addr= -- /bin/true 2>&1 | grep -c "$announced")"
	else
		is "nothing to announce" "" "$(trace --probe-addr= -- /bin/true 2>&1)"
	fi
	is "--disable-seccomp is silent" "" "$(trace --disable-seccomp --probe-addr= -- /bin/true 2>&1)"
}

# wrapped NAME FLAG
wrapped() {
	trace "$2" -- /bin/sh -c 'exit 42' 2>/tmp/err
	is "wrapped, $1: exit code" 42 $?
	trace "$2" -- /bin/sh -c 'kill -TERM $$' 2>/tmp/err
	is "wrapped, $1: death by a signal" 143 $?
	storm=$(trace "$2" -- /bin/sh -c 'i=0; while [ $i -lt 50 ]; do (:) & i=$((i + 1)); done; wait; echo done' 2>/tmp/err)
	is "wrapped, $1: a storm of forks" "done" "$storm"
	trace "$2" -- /bin/sh -c "cat /tmp/secret-$1; /tmp/busybox-hostile true wrapped-$1" >/dev/null 2>&1
	detected "wrapped, $1: exec" "wrapped-$1\""
	detected "wrapped, $1: open" "\"/tmp/secret-$1\""
}

attached() {
	sh -c 'while [ ! -e /tmp/go ]; do sleep 0.2; done; cat /tmp/secret-attached; /tmp/busybox-hostile true attached; sleep 1' >/dev/null 2>&1 &
	application=$!
	trace --pid "$application" 2>/tmp/attach.log &
	sleep 2
	: >/tmp/go
	detected "attached: open" 'secret-attached'
	wait "$application"
	is "attached: exit code" 0 $?
}

killed() {
	trace -- /bin/sh -c '/tmp/busybox-hostile sh -c "sleep 100; :" killme' >/dev/null 2>&1
	is "a rule kills" 137 $?
}

# The ids are those of control groups of version 1, as Docker names them there.
container() {
	id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	mkdir -p /tmp/cgroup
	if ! mount -t cgroup -o none,name=test cgroup /tmp/cgroup; then
		bad "no control groups of version 1"
		return
	fi
	mkdir -p "/tmp/cgroup/docker/$id"
	sh -c "echo \$\$ >/tmp/cgroup/docker/$id/cgroup.procs; exec cws-instrumentation trace -- /tmp/busybox-hostile true contained" >/dev/null 2>&1
	detected "a container's id" "contained\".*$id\|$id.*contained\""
}

# plain NAME: a program that no tracer reports
plain() {
	/tmp/busybox-hostile sh -c 'sleep 3; :' "$1"
	detected "what no tracer reports, $1" "$1\""
	grep -o 'the kernel.s proc connector tells of all programs\|/proc is read every [^ ]*' /tmp/probe.log | head -n 1
}

# modules: only the distribution's kernel brings one. What loads it must be no tool that the default rule excuses, as BusyBox itself
# is when it runs as insmod.
modules() {
	module=/modules/$(uname -r).ko
	[ -e "$module" ] || return 0
	policies=/default
	serve
	trace -- /tmp/busybox-hostile insmod "$module" 2>/tmp/err
	is "a module is loaded" 0 $?
	detected "a module that is loaded, by the default rule" '"rule_id":"kernel_module_loaded"'
	leave
}

echo "kernel $(uname -r)"
cp /bin/busybox /tmp/busybox-hostile
serve
features
wrapped filtered --disable-seccomp=false
wrapped unfiltered --disable-seccomp
attached
killed
container
plain connector
if grep -q 'proc connector tells of all' /tmp/probe.log; then ok "the proc connector is used"; else bad "no proc connector: $(cat /tmp/probe.log)"; fi
leave
serve unshare -n sh -c 'ip link set lo up; exec "$@"' sh # the connector does not serve other network namespaces
plain scan
if grep -q '/proc is read every' /tmp/probe.log; then ok "the scan is used"; else bad "no scan: $(cat /tmp/probe.log)"; fi
leave
modules
exit "$((failures > 0))"
