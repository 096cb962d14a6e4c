#!/bin/bash
# A fresh Debian with systemd: everything.
# shellcheck disable=SC1091,SC2154,SC2317
# shellcheck disable=SC1091,SC2154
set -uo pipefail
. "$(dirname "$0")/host.sh"
. "$(dirname "$0")/main.sh"
. "$(dirname "$0")/odd.sh"
. "$(dirname "$0")/config.sh"
. "$(dirname "$0")/docs.sh"

useradd -m admin && echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
useradd -m asked && echo 'asked ALL=(ALL) ALL' >/etc/sudoers.d/asked && echo asked:word | chpasswd
grep -qs localhost /etc/hosts || echo 127.0.0.1 localhost >>/etc/hosts
touch /home/{admin,asked}/.sudo_as_admin_successful
cp /srv/tls.crt /usr/local/share/ca-certificates/test.crt
cp "$script" /tmp/install.sh
chmod 755 /tmp/install.sh

main_path
odd_hosts
configurations
interrupted
docs
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
