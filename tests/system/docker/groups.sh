#!/bin/bash
# Read by run: container ids, by version of control groups and with a namespace of theirs or the host's.

# engine VERSION: another one, which finds only that version at the place where it looks (cgroups(7)).
engine() {
	docker stop
	# shellcheck disable=SC2016 # for the other shell
	unshare --mount --propagation private bash -c \
		'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec docker start' || die "no engine with version 2 alone"
	[[ $(docker info -f '{{.CgroupVersion}}') == 2 ]] || die "the engine has found another version of control groups"
}

# known_by NAMESPACE: the probe tells the id of the container that the application runs in.
known_by() {
	local id
	id=$(docker run -d --network net --cgroupns "$1" --cap-add SYS_PTRACE app /cws-instrumentation trace --probe-addr probe:5678 -- /tmp/true true) || return 1
	told probe "\"path\":\"/tmp/true\".*\"container\":{\"id\":\"$id\""
}

container_ids() {
	local namespace
	for namespace in private host; do
		check "control groups of version $(docker info -f '{{.CgroupVersion}}'), namespace $namespace: the container's id is told" known_by "$namespace"
	done
}
