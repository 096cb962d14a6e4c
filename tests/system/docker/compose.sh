#!/bin/bash
# shellcheck disable=SC2154 # run sets top and here
# Read by run: the two compose files as they are, with an application of the name that they give, and what else lies beside them.

application() {
	mkdir -p "$TESTBED/myapp"
	printf '#!/bin/sh\n/tmp/true true\nexec sleep 100\n' >"$TESTBED/myapp/myapp"
	chmod +x "$TESTBED/myapp/myapp"
	printf 'FROM app\nCOPY myapp /usr/bin/myapp\n' >"$TESTBED/myapp/Dockerfile"
	image myapp "$TESTBED/myapp"
	# The test need not wait half a minute for the first check of its health.
	printf 'services: {probe: {healthcheck: {test: [CMD, system-probe, status], interval: 1s}}}\n' >"$TESTBED/often.yaml"
}

# compose FILE COMMAND…
compose() { docker-compose -p ebpfless-test -f "$top/packaging/docker/$1" -f "$TESTBED/often.yaml" "${@:2}"; }

compose_detects() { told "$(compose "$1" ps -q probe)" '"path":"/tmp/true"'; }

composed() {
	local file
	application
	for file in compose.yaml compose-host.yaml; do
		check "$file is one" docker-compose -f "$top/packaging/docker/$file" config -q
		check "$file starts, the application after the probe is healthy" compose "$file" up -d --no-color
		check "its application is detected" compose_detects "$file"
		compose "$file" down -t 5 >/dev/null 2>&1
	done
}

laid_out() {
	local files=("$top"/packaging/docker/*-task.json "$top/packaging/docker/kubernetes.yaml")
	check "task definitions and manifest are what ECS and Kubernetes take" "$here/layouts.py" "${files[@]}"
	check "each of their keys misspelt, each value of another type, is refused" "$here/layouts.py" --spoilt "${files[@]}"
}
