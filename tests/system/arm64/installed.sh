#!/bin/sh
# Runs inside the arm64 machine: dpkg installs the packages, the installed probe is started by its own script, and an
# installed tracer reports to it.
detections=/var/log/datadog/runtime-security.json
failed() {
	echo "FAILED $*"
	exit 1
}

# soon COMMAND…: within thirty seconds it succeeds.
soon() {
	n=0
	until "$@" >/dev/null 2>&1; do
		n=$((n + 1))
		[ "$n" -lt 150 ] || failed "$*: not within 30 s"
		sleep 0.2
	done
}

dpkg -i /debs/*.deb >/tmp/dpkg.log 2>&1 || failed "dpkg: $(cat /tmp/dpkg.log)"
dpkg -s cws-instrumentation cws-probe cws-services | grep -c '^Status: install ok installed' | grep -qx 3 || failed "not installed: $(cat /tmp/dpkg.log)"
echo "OK dpkg $(dpkg --print-architecture) has installed cws-instrumentation, cws-probe, cws-services"
/etc/init.d/datadog-agent-sysprobe start || failed "the probe's script: $?"
soon system-probe status
echo 'root:*:1:0:99999:7:::' >/etc/shadow
cws-instrumentation trace -- /bin/busybox cat /etc/shadow >/dev/null || failed "the tracer: $?"
soon grep -q password_hashes_read "$detections"
echo "OK the installed probe tells of what the installed tracer saw"
dpkg -P cws-services cws-probe cws-instrumentation >/tmp/dpkg.log 2>&1 || failed "dpkg -P: $(cat /tmp/dpkg.log)"
[ ! -e /opt/datadog-agent/embedded/bin/cws-instrumentation ] || failed "the tracer is still there"
echo "OK dpkg has purged them"
