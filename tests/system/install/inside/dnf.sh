#!/bin/bash
# A host with dnf, of a distribution that is known by what it is like.
# shellcheck disable=SC1091,SC2154
set -uo pipefail
. "$(dirname "$0")/host.sh"
. "$(dirname "$0")/main.sh"

# yum_alone: on EL 8 and 9 it is a link. That of EL 7 goes back to a release only when it is told to.
yum_alone() {
	rm /usr/bin/dnf
	ln -s dnf-3 /usr/bin/yum
	echo "== yum"
	core
	rm /usr/bin/yum
	cat >/usr/bin/yum <<'END'
#!/bin/sh
case "$*" in *' install '*-1.0.0*) ! rpm -q cws-probe-1.1.0 >/dev/null || exit 0 ;; esac
exec dnf-3 "$@"
END
	chmod +x /usr/bin/yum
	note
	releases
	check "purge" bash "$script" --purge
	check "nothing is left behind" unchanged
}

rm /etc/os-release
printf 'ID="derived"\nVERSION_ID="9.9"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Derived Linux 9.9"\n' >/etc/os-release
main_path
yum_alone
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
