#!/bin/bash
# A host with dnf, of a distribution that is known by what it is like.
# shellcheck disable=SC1091,SC2154
set -uo pipefail
. "$(dirname "$0")/host.sh"
. "$(dirname "$0")/main.sh"
rm /etc/os-release
printf 'ID="derived"\nVERSION_ID="9.9"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Derived Linux 9.9"\n' >/etc/os-release
main_path
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
