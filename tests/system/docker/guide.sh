#!/bin/bash
# Read by run: the steps of the original's guide for Docker (docs.datadoghq.com, "Threat Detection for Linux Without eBPF
# Support"), with our image's name in the place of theirs, /bin/sh in that of /bin/bash, and an application that does something.

# A machine that is a container itself may lack a capability of these, and can't give it away (CapBnd, proc_pid_status(5)).
resource=(--cap-add SYS_RESOURCE)
granted() {
	local bounding
	bounding=$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)
	((0x$bounding >> 24 & 1)) && return
	echo "SKIPPED: --cap-add SYS_RESOURCE of the guide's command, which this machine may not grant (make test-docker-host does it)"
	resource=()
}

# agent OPTION…: the guide's command, and what it says to add for a network.
agent() {
	docker run -d --name dd-agent \
		--cgroupns host \
		--pid host \
		--security-opt apparmor:unconfined \
		--cap-add SYS_ADMIN \
		"${resource[@]}" \
		--cap-add SYS_PTRACE \
		--cap-add NET_ADMIN \
		--cap-add NET_BROADCAST \
		--cap-add NET_RAW \
		--cap-add IPC_LOCK \
		--cap-add CHOWN \
		-v /var/run/docker.sock:/var/run/docker.sock:ro \
		-v /proc/:/host/proc/:ro \
		-v /sys/fs/cgroup/:/host/sys/fs/cgroup:ro \
		-v /etc/passwd:/etc/passwd:ro \
		-v /etc/group:/etc/group:ro \
		-v /:/host/root:ro \
		-v /sys/kernel/debug:/sys/kernel/debug \
		-v /etc/os-release:/etc/os-release \
		-e DD_COMPLIANCE_CONFIG_ENABLED=true \
		-e DD_COMPLIANCE_CONFIG_HOST_BENCHMARKS_ENABLED=true \
		-e DD_RUNTIME_SECURITY_CONFIG_ENABLED=true \
		-e DD_RUNTIME_SECURITY_CONFIG_REMOTE_CONFIGURATION_ENABLED=true \
		-e DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true \
		-e HOST_ROOT=/host/root \
		-e DD_API_KEY=0123456789abcdef0123456789abcdef \
		"$@" ebpfless
}

verified() { docker exec dd-agent /opt/datadog-agent/embedded/bin/system-probe config | grep -A 1 ebpfless | grep '^    enabled: true$' >/dev/null; }
serves() { soon docker exec dd-agent /opt/datadog-agent/embedded/bin/system-probe status; }

# wrapping, attaching: the guide's two Dockerfiles.
wrapping() {
	mkdir -p "$TESTBED/wrapping"
	cat >"$TESTBED/wrapping/Dockerfile" <<'END'
FROM ebpfless AS datadogagent

FROM app

COPY --from=datadogagent /opt/datadog-agent/embedded/bin/cws-instrumentation .

ENTRYPOINT ["/cws-instrumentation", "trace", "--"]

CMD ["/bin/sh", "-c", "while true; do sleep 1; /tmp/true echo my app is running; done"]
END
	image wrapping "$TESTBED/wrapping"
}

attaching() {
	mkdir -p "$TESTBED/attaching"
	cat >"$TESTBED/attaching/Dockerfile" <<'END'
FROM ebpfless

ENTRYPOINT ["/opt/datadog-agent/embedded/bin/cws-instrumentation", "trace", "--pid", "$PID"]
END
	image attaching "$TESTBED/attaching"
}

# engine_socket: the guide's command mounts it, and Docker would make a folder of what isn't there.
engine_socket() { [[ -e /var/run/docker.sock ]] || { ln -s "$TESTBED/docker/docker.sock" /var/run/docker.sock && touch "$TESTBED/linked"; }; }
no_engine_socket() { [[ ! -e $TESTBED/linked ]] || rm -f /var/run/docker.sock "$TESTBED/linked"; }

# of_container NAME: the probe tells of what ran in that container.
of_container() { told dd-agent "\"path\":\"/tmp/true\".*\"container\":{\"id\":\"$(docker inspect -f '{{.Id}}' "$1")\""; }

guide() {
	local pid
	granted
	engine_socket
	wrapping
	attaching
	check "the guide's docker run" agent
	check "it serves" serves
	check "the guide's verification" verified
	docker rm -f dd-agent >/dev/null
	check "the guide's docker run on the host's network" agent --network host
	check "it serves" serves
	check "the guide's Dockerfile that wraps, on the host's network" docker run -d --name wrapped --network host --cap-add=SYS_PTRACE wrapping
	check "what it does is detected, with its container" of_container wrapped
	docker rm -f wrapped >/dev/null
	docker run -d --name watched --cap-add SYS_PTRACE --pid host --cgroupns host app /bin/sh -c 'while :; do sleep 1; /tmp/true; done' >/dev/null
	pid=$(docker inspect -f '{{.State.Pid}}' watched)
	check "the guide's Dockerfile that attaches" docker run -d --name attached --network host --cap-add=SYS_PTRACE --cgroupns host --pid host -e PID="$pid" attaching
	check "what it is attached to is detected, with its container" of_container watched
	docker rm -f attached >/dev/null
	check "the application runs on without the tracer" test "$(docker inspect -f '{{.State.Running}}' watched)" = true
	docker rm -f watched dd-agent >/dev/null
	check "the guide's docker run on a network" agent --network net -e DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_SOCKET=0.0.0.0:5678
	check "it serves" serves
	check "the guide's Dockerfile that wraps, on that network" docker run -d --name wrapped --network net --cap-add=SYS_PTRACE \
		--entrypoint /cws-instrumentation wrapping trace --probe-addr dd-agent:5678 -- /bin/sh -c '/tmp/true true; sleep 100'
	check "what it does is detected, with its container" of_container wrapped
	docker rm -f wrapped dd-agent >/dev/null
	no_engine_socket
}
