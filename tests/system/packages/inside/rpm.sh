#!/bin/bash
# The life of the packages on a host of dnf.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/common.sh"

packages=(cws-instrumentation cws-probe cws-services)
version() { [[ $(rpm -q --qf '%{VERSION}' cws-probe) == "$1" ]]; }
fetch() { dnf -y -q "$@"; }

trust() {
	cat >/etc/yum.repos.d/ebpfless.repo <<EOF
[ebpfless]
name=ebpfless
baseurl=http://127.0.0.1:8000/yum
gpgcheck=1
repo_gpgcheck=1
gpgkey=file://$1
EOF
	fetch clean all
}

# Packages of a distribution own these: chkconfig, fish and zsh.
mkdir -p /etc/rc.d/init.d /usr/share/fish/vendor_completions.d /usr/share/zsh/site-functions
files >/root/before
serve /srv/repo
trust /srv/repo/other.asc
check "a repository signed with another key is refused" not fetch install cws-probe-1.0.0
trust /srv/repo/ebpfless.asc
check "1.0.0 installs" fetch install "${packages[@]/%/-1.0.0}"
check "the probe runs" soon running
check "it is enabled" systemctl is-enabled datadog-agent-sysprobe
check "the files are as packed" rpm -V cws-instrumentation cws-services
check "a wrapped program is detected" hostile first
printf '[Service]\nExecStart=/bin/sleep 100000\n' >/etc/systemd/system/toy.service
systemctl daemon-reload && systemctl start toy
check "a service is wrapped" cwsctl wrap toy
application
check "a wrapped application is detected" soon answers second
echo '# mine' >>/etc/datadog-agent/system-probe.yaml
old=$(probe)
check "1.1.0 installs" fetch install "${packages[@]/%/-1.1.0}"
check "the version is new" version 1.1.0
check "the edited configuration is kept" grep -q '^# mine' /etc/datadog-agent/system-probe.yaml
check "the new default lies beside it" grep -q 'A changed default' /etc/datadog-agent/system-probe.yaml.rpmnew
check "the probe is another" test "$old" != "$(probe)"
check "the application runs on and is detected" answers third
check "a downgrade works" fetch downgrade "${packages[@]/%/-1.0.0}"
check "the version is old" version 1.0.0
check "the probe runs after it" soon running
serve /srv/tampered
fetch clean all
check "a tampered package is refused" not fetch install cws-probe-1.1.0
check "and nothing changes" version 1.0.0
serve /srv/repo
fetch clean all
kill "$application"
check "remove succeeds" fetch remove "${packages[@]}"
check "the probe is gone" not probe
check "the service is plain again" soon toy_is plain
systemctl stop toy
rm -rf /etc/systemd/system/toy.service /etc/yum.repos.d/ebpfless.repo
check "what was edited is kept" test -e /etc/datadog-agent/system-probe.yaml.rpmsave
rm -rf /etc/datadog-agent
systemctl daemon-reload
files >/root/after
check "nothing else is left behind" diff /root/before /root/after
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
