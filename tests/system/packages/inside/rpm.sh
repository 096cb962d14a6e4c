#!/bin/bash
# The life of the packages on a host of dnf.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/common.sh"

packages=(cws-instrumentation cws-probe cws-services)
version() { [[ $(rpm -q --qf '%{VERSION}' cws-probe) == "$1" ]]; }
fetch() { dnf -y -q "$@"; }

# trust KEY FOLDER CHECK-INDEX
trust() {
	cat >/etc/yum.repos.d/ebpfless.repo <<EOF
[ebpfless]
name=ebpfless
baseurl=http://127.0.0.1:8000/${2:-yum}
gpgcheck=1
repo_gpgcheck=${3:-1}
gpgkey=file://$1
EOF
	fetch clean all
}

# interrupt: dnf is killed at work, and what it left half done is put right as an administrator would.
interrupt() {
	local i
	for i in 0.5 1 2; do
		fetch downgrade "${packages[@]/%/-1.0.0}" || return 1
		fetch install "${packages[@]/%/-1.1.0}" >/dev/null 2>&1 &
		sleep "$i"
		pkill -KILL -x dnf
		wait
		find /etc /opt /usr -xdev -name '*;????????' -delete # what rpm was unpacking when it was killed; it never takes that away
		fetch install "${packages[@]/%/-1.1.0}" || return 1
		if [[ $(rpm -q "${packages[@]}" | wc -l) != "${#packages[@]}" ]]; then fetch remove --duplicates || return 1; fi
		[[ $(rpm -q "${packages[@]}" | grep -c -- '-1\.1\.0-') == "${#packages[@]}" ]] && rpm -V cws-instrumentation cws-services || return 1
	done
	fetch downgrade "${packages[@]/%/-1.0.0}"
}

files >/root/before
serve /srv/repo
trust /srv/repo/other.asc
check "a repository signed with another key is refused" refused 'repomd.xml GPG signature verification error' dnf -y install cws-probe-1.0.0
trust /srv/repo/ebpfless.asc foreign 0
check "a package signed with another key is refused" refused 'GPG|public key|not installed' fetch install cws-probe-1.0.0
trust /srv/repo/ebpfless.asc
check "1.0.0 installs" fetch install "${packages[@]/%/-1.0.0}"
check "the probe runs" soon running
check "it is enabled" systemctl is-enabled datadog-agent-sysprobe
check "the files are as packed" rpm -V cws-instrumentation cws-services
check "a wrapped program is detected" hostile first
printf '[Service]\nExecStart=/bin/sleep 100000\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/toy.service
systemctl daemon-reload && systemctl start toy
check "a service is wrapped" cwsctl wrap toy
application
check "a wrapped application is detected" soon answers second
echo '# mine' >>/etc/datadog-agent/system-probe.yaml
old=$(probe)
check "1.1.0 installs" counting fetch install "${packages[@]/%/-1.1.0}"
check "no event is lost meanwhile" soon all_told
check "the tracer is the new one" soon renewed
check "the version is new" version 1.1.0
check "the edited configuration is kept" grep -q '^# mine' /etc/datadog-agent/system-probe.yaml
check "the new default lies beside it" grep -q 'A changed default' /etc/datadog-agent/system-probe.yaml.rpmnew
check "the probe is another" test "$old" != "$(probe)"
check "the application runs on and is detected" answers third
check "a downgrade works" fetch downgrade "${packages[@]/%/-1.0.0}"
check "the version is old" version 1.0.0
check "the probe runs after it" soon running
check "a disabled probe" systemctl disable --now datadog-agent-sysprobe
check "stays disabled and down: upgrade" fetch install "${packages[@]/%/-1.1.0}"
check "stays disabled and down" not probe
check "until it is enabled" systemctl enable --now datadog-agent-sysprobe
check "an interrupted rpm goes on" interrupt
check "the probe runs after that" soon running
serve /srv/tampered
fetch clean all
check "a tampered package is refused" refused 'checksum|Cannot download' fetch install cws-probe-1.1.0
check "and nothing changes" version 1.0.0
serve /srv/repo
fetch clean all
kill "$application"
rm /etc/datadog-agent/runtime-security.d/test.policy
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

check "the original installs" rpm --nosignature -i /srv/repo/fake/datadog-agent.rpm
one() { echo /srv/repo/yum/"$1"-1.1.0-1.x86_64.rpm; }
check "our probe conflicts with it" refused 'conflicts with' rpm -i "$(one cws-probe)"
check "our tracer conflicts with it" refused 'conflicts with' rpm -i "$(one cws-instrumentation)"
check "our services install beside it" rpm -i "$(one cws-services)"
rpm -e cws-services datadog-agent
files >/root/before
check "cws-selinux installs where there is no policy" only_says 'not loaded; once there is a policy, reinstall cws-selinux' \
	rpm -i /srv/repo/yum/cws-selinux-1.1.0-1.noarch.rpm
check "it goes again" only_says '^$' rpm -e cws-selinux
files >/root/after
check "nothing is left behind" diff /root/before /root/after
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
