# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # expect.sh and systemd.sh have and read what is not used here
# Sourced by systemd.sh: what the original's guide has its readers do.

# The units that the original's guide has its readers write.
guide() {
	service=guide
	local literal
	cp guide/*.service /etc/systemd/system/
	systemctl daemon-reload
	systemctl start myapp-wrapped
	expect "answers" soon ask 7900 hello
	expect "traced" traced "$(pidof myapp)"
	kill -KILL "$(pidof myapp)"
	expect "starts again after a crash" soon ask 7900 hello
	expect "stop" systemctl stop myapp-wrapped
	systemctl start my-app
	expect "answers" soon ask 7900 hello
	systemctl start myapp-attached
	attached() { traced "$(pidof myapp)"; }
	expect "attached" soon attached
	systemctl stop myapp-attached
	expect "detached" plain "$(pidof myapp)"
	# shellcheck disable=SC2016 # that is what is tested
	for literal in '$PID' '${PID}'; do
		same "attach by a literal $literal" 0 "$(literal_pid "$literal")"
		expect "detached" plain "$(pidof myapp)"
	done
	systemctl stop my-app
	entrypoint
	rm /etc/systemd/system/{myapp-wrapped,myapp-attached,my-app}.service
	systemctl daemon-reload
}

# In a container's ENTRYPOINT nothing expands $PID but the tracer itself.
literal_pid() {
	local tracer
	PID=$(pidof myapp) timeout -k 1 30 /opt/datadog-agent/embedded/bin/cws-instrumentation trace --pid "$1" >&2 &
	tracer=$!
	attached() { traced "$(pidof myapp)"; }
	soon attached
	echo $?
	kill $tracer
	wait $tracer
}

# ENTRYPOINT and CMD of the guide's image, as process 1.
entrypoint() {
	timeout -s KILL 3 unshare --pid --fork --kill-child --mount-proc /opt/datadog-agent/embedded/bin/cws-instrumentation trace -- \
		/bin/bash -c "while true; do sleep 1; echo my app is running; done" >/tmp/out 2>&1
	grep -q 'my app is running' /tmp/out || fail "entrypoint says $(cat /tmp/out)"
}
