#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Runs in the virtual machine of `run host`: the guide's steps where the engine is a service of the host, pid 1 has all
# capabilities, AppArmor confines the containers, and there are control groups of version 2 alone.
set -euo pipefail
here=$(dirname "$0")
export TESTBED=/root/docker
. "$here/common.sh"
. "$here/guide.sh"
. "$here/groups.sh"

version_2_alone() { findmnt -rno FSTYPE | grep '^cgroup' | sort -u | diff - <(echo cgroup2); }
confines() { docker info -f '{{.SecurityOptions}}' | grep name=apparmor; }

main() {
	mkdir -p "$TESTBED"
	soon docker info || die "no engine: $(journalctl -u docker | tail -n 5)"
	docker load -q -i /mnt/images.tar >/dev/null
	docker network create net >/dev/null
	check "control groups are of version 2 alone" version_2_alone
	check "AppArmor confines containers" confines
	guide
	check "the guide's command was run with all of its capabilities" test "${resource[*]}" = '--cap-add SYS_RESOURCE'
	probe --network net --name probe -e DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_SOCKET=0.0.0.0:5678 >/dev/null
	container_ids
	verdict
}

main
