#!/bin/bash
# A fresh Debian with systemd, of another release. Usage: debian.sh [quick]
# shellcheck disable=SC1091,SC2154
set -uo pipefail
. "$(dirname "$0")/host.sh"
. "$(dirname "$0")/main.sh"
if [[ ${1:-} == quick ]]; then core; else main_path; fi
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
