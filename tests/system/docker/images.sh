#!/bin/bash
# shellcheck disable=SC2154 # run sets top and registry
# Read by run: the image of probe and tracer, built by the engine and for two processors by buildah, and images of applications.

# sources: what an image is made of, as `make packages` leaves it.
sources() {
	local arch context=$TESTBED/context
	mkdir -p "$context/dist/bin"
	for arch in amd64 arm64; do make -s -C "$top" GOARCH="$arch" BIN="$context/dist/bin/$arch" build >/dev/null; done
	cp "$top/LICENSE" "$context/dist/notices"
	cp -r "$top/packaging" "$top/Makefile" "$context"
}

# serve_registry: on a port that is free, with a certificate that buildah knows.
serve_registry() {
	local tls=$TESTBED/registry-tls
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout "$tls.key" -out "$tls.crt" 2>/dev/null
	printf 'version: 0.1\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:0", tls: {certificate: %s, key: %s}}\n' \
		"$TESTBED/registry" "$tls.crt" "$tls.key" >"$TESTBED/registry.yml"
	setsid docker-registry serve "$TESTBED/registry.yml" >"$TESTBED/registry.log" 2>&1 </dev/null &
	echo $! >"$TESTBED/registry.pid"
	soon grep -q 'listening on' "$TESTBED/registry.log" || die "no registry: $(tail -n 3 "$TESTBED/registry.log")"
	registry=$(grep -o 'listening on [0-9.:]*' "$TESTBED/registry.log" | cut -d ' ' -f 3)
	install -D "$tls.crt" "$TESTBED/home/.config/containers/certs.d/$registry/ca.crt"
}

publish() { in_context "make image IMAGE=$1" >"$TESTBED/build" 2>&1 || die "no image in $1: $(tail -n 3 "$TESTBED/build")"; }

# layers FOLDER: of both images in it.
layers() { jq -r '.layers[]?.digest' "$1"/*.json | sort; }

same_layers() {
	publish "dir:$TESTBED/again"
	publish "dir:$TESTBED/once"
	[[ $(layers "$TESTBED/once" | wc -l) == 2 ]] && diff <(layers "$TESTBED/once") <(layers "$TESTBED/again")
}

# pull ARCH NAME: the engine finds the image for a processor by the list that the registry has under one name.
pull() {
	docker pull -q --platform "linux/$1" "$registry/ebpfless:1.2.3" >/dev/null 2>"$TESTBED/build" || die "no image for $1: $(cat "$TESTBED/build")"
	docker tag "$registry/ebpfless:1.2.3" "$2"
	[[ $(docker inspect --type image -f '{{.Architecture}}' "$2") == "$1" ]] || die "the image for $1 is for another processor"
}

# in_context COMMAND: for version 1.2.3.
in_context() { (cd "$TESTBED/context" && SOURCE_DATE_EPOCH=1700000000 PACKAGE_VERSION=1.2.3 HOME=$TESTBED/home exec bash -c "$1"); }

# readme PATTERN: its command that begins so, as it stands there but for the name of an image in general.
readme() {
	local command
	command=$(commands "$top/README.md" /dev/null | grep "^$1") || die "the README has no $1"
	in_context "${command/REGISTRY\/NAME:TAG/$registry/ebpfless:1.2.3}"
}

application_image() {
	mkdir -p "$TESTBED/app"
	cp "$(command -v busybox)" "$TESTBED/app/busybox"
	cat >"$TESTBED/app/Dockerfile" <<'END'
FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY busybox /bin/sleep
COPY busybox /tmp/true
COPY --from=ebpfless /opt/datadog-agent/embedded/bin/cws-instrumentation /cws-instrumentation
END
	image app "$TESTBED/app"
}

images() {
	sources
	serve_registry
	check "the README's docker build" readme 'docker build '
	check "it makes the image" docker inspect --type image ebpfless
	image ebpfless:built --build-arg VERSION=1.2.3 -f "$TESTBED/context/packaging/docker/Dockerfile" "$TESTBED/context"
	check "the README's make image" readme 'make image '
	pull arm64 ebpfless:arm64
	pull amd64 ebpfless:latest
	application_image
}

# configuration NAME: what a container of that image is started with. Another builder names the container of the build, too.
configuration() { docker inspect --type image -f '{{json .Config}}' "$1" | jq -S '{User, ExposedPorts, Env, Cmd, Healthcheck, Entrypoint, Labels, StopSignal, WorkingDir}'; }

# arm64: what is in that image is for that processor (e_machine, elf(5)).
arm64() {
	local id name
	id=$(docker create --platform linux/arm64 ebpfless:arm64) || return 1
	for name in cws-instrumentation system-probe; do
		docker cp -q "$id:/opt/datadog-agent/embedded/bin/$name" "$TESTBED/arm64" || return 1
		[[ $(od -An -tx1 -j18 -N2 "$TESTBED/arm64") == ' b7 00' ]] || return 1
	done
	docker rm "$id" >/dev/null
}

label() { docker inspect --type image -f "{{index .Config.Labels \"org.opencontainers.image.$1\"}}" ebpfless | grep -qx "$2"; }

check_images() {
	check "the image says its version" label version 1.2.3
	check "and its license" label licenses Apache-2.0
	check "the one for arm64 holds programs for arm64" arm64
	check "both ways to build it make the same of it" diff <(configuration ebpfless:built) <(configuration ebpfless:latest)
	check "two builds have the same layers" same_layers
	check "the image knows its guide's check" bash -c "docker run --rm -e DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true ebpfless config | grep -A 1 ebpfless | grep -q 'enabled: true'"
}
