#!/bin/bash
# The installer on one host, whatever its package manager and its init.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source-path=SCRIPTDIR/../../packages/inside
set -uo pipefail
. "$(dirname "$0")/common.sh"
script=/root/test/install.sh
export MIRROR=http://127.0.0.1:8000

piped() { bash <"$script"; }
as_argument() { bash -c "$(cat "$script")" install.sh "$@"; }
everything() { files | grep -v ' /var/log/ebpfless-install.log '; }
unchanged() { diff /root/before <(everything | grep -v '^/var/log/ebpfless-install.log ') >/root/diff || { cat /root/diff; return 1; }; }

# truncated: whatever arrives of the script, nothing runs before its end.
truncated() {
	local size i bytes
	size=$(stat -c %s "$script")
	for ((i = 0; i < 50; i++)); do
		bytes=$((RANDOM * 32768 + RANDOM))
		head -c $((bytes % (size - 10))) "$script" | bash >/dev/null 2>&1
	done
	unchanged
}

everything >/root/before
check "half a script does nothing" truncated
check "without network it is refused" not piped
check "and nothing changes" unchanged
serve /srv/tampered
check "a tampered repository is refused" not piped
check "and nothing changes but the log" unchanged
serve /srv/repo
check "a dry run changes nothing" bash "$script" --dry-run
check "indeed" unchanged
check "an unknown argument is refused" not bash "$script" --frobnicate
export DD_API_KEY=0123456789abcdef0123456789abcdef DD_TAGS=a:b,c:d
check "piped, it installs" piped
check "the probe runs" soon running
check "the guide's check" bash -c 'system-probe config | grep -A 1 ebpfless | grep -q "enabled: true"'
check "the tags are there" grep -q '"a:b","c:d"' /etc/datadog-agent/system-probe.yaml
check "the key is there" grep -q "$DD_API_KEY" /etc/datadog-agent/system-probe.yaml
check "and not in the log" not grep -q "$DD_API_KEY" /var/log/ebpfless-install.log
check "a wrapped program is detected" hostile first
md5sum /etc/datadog-agent/system-probe.yaml >/root/sum
check "as an argument, again, it changes nothing" as_argument
check "indeed" md5sum -c /root/sum
check "the mode can be switched off" as_argument --no-ebpfless
check "it is off" bash -c 'system-probe config | grep -A 1 ebpfless | grep -q "enabled: false"'
check "and on again" as_argument --from /srv/repo
check "uninstall succeeds" bash "$script" --uninstall
check "the probe is gone" not probe
check "the configuration stays" bash -c 'ls /etc/datadog-agent/system-probe.yaml*'
check "install again" piped
check "purge succeeds" bash "$script" --purge
check "nothing is left behind" unchanged
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
