#!/bin/bash
# Runs inside a booted systemd container: systemd.sh services|guide|input|reboot|rebooted|version, or one function with its arguments
# shellcheck disable=SC2034,SC2317 # functions are called by those that they are given to; expect.sh reads service
set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/system/init/inside/expect.sh disable=SC1091
. ./expect.sh
for part in daemons directives input guide; do
	# shellcheck disable=SC1090
	. "./systemd-$part.sh"
done
service=none
cluster=postgresql@$(ls /etc/postgresql 2>/dev/null)-main

main_pid() { systemctl show -p MainPID "$1" | cut -d= -f2; }

# wrapped UNIT / unwrapped UNIT: what systemd shows of it.
wrapped() {
	expect "drop-in is shown by systemctl cat" grep -q '^# /run/systemd/generator/.*-cws-wrap.conf' <(systemctl cat "$1")
	expect "traced" traced "$(main_pid "$1")"
	[[ $(readlink "/proc/$(main_pid "$1")/exe") != *cws-instrumentation ]] || fail "the main process is the tracer"
}
unwrapped() {
	if systemctl cat "$1" | grep -q cws-wrap; then fail "the drop-in is still there"; fi
	expect "plain" plain "$(main_pid "$1")"
}

# enable NAME [PLAIN COMMAND]
enable() { expect "enable --now" systemctl enable --quiet --now "cws-wrap@$1"; }
disable() { expect "disable --now" systemctl disable --quiet --now "cws-wrap@$1"; }

number() { systemctl --version | awk 'NR == 1 {print $2}'; }
since() { (($(number) >= $1)); }

services() {
	snapshot >/tmp/before
	nginx
	postgresql
	redis
	toy toy-simple 7001
	! since 240 || toy toy-exec 7002   # Type=exec
	! since 244 || toy toy-colon 7003 # the prefix :
	toy toy-notify 7006
	toy toy-forking 7007
	toy toy-guess 7008
	brief
	toy toy-dynamic 7009
	toy toy-user 7010
	toy toy-owner 7021
	privileges
	toy toy-switch 7011
	toy toy-sandbox 7012
	toy toy-capable 713
	rooted
	toy toy-many@7016 7016
	toy 'toy\x2descape' 7017
	toy toy-dropin 7018
	toy toy-simple 7001 toy-alias
	toy toy-bus 7022
	toy toy-idle 7023
	toy toy-plus 7024
	toy toy-bang 7025
	! since 253 || notify_reload
	around
	endings
	socket_activated
	several_commands
	init_script
	own_command
	service="what is left"
	snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff || fail "/etc or /run/systemd differ: $(cat /tmp/diff)"
	[[ -z $(ls /run/cws 2>/dev/null) ]] || fail "/run/cws holds $(ls -R /run/cws)"
	[[ -z $(pgrep -f 'cws-(instrumentation|loop)') ]] || fail "tracers are left: $(pgrep -af 'cws-(instrumentation|loop)')"
}

# A root folder of their own, to which nothing brings the tracer before 247.
rooted() {
	if since 247; then
		toy toy-root 7015
		toy toy-rooted 7026
		return
	fi
	service=rooted
	refuse 1 'RootDirectory= leaves no way to the tracer' cwsctl wrap toy-root
	refuse 1 'RootDirectory= leaves no way to the tracer' cwsctl wrap toy-rooted
}

# verifies UNIT…: systemd finds nothing to say against what it reads, but for what it is too old for: in the tests' own units, and in
# the probe's, whose youngest directive is of 245.
verifies() {
	local out code=0 old='/etc/systemd/system/toy-[a-z]+'
	since 245 || old+='|/lib/systemd/system/datadog-agent-sysprobe'
	out=$(systemd-analyze verify --man=no "$@" 2>&1) || code=$?
	out=$(grep -vE "($old)\.service:[0-9]+: Unknown (key name|lvalue) " <<<"$out")
	[[ $code == 0 && -z $out ]] || { echo "${out:-no reason given}"; return 1; }
}

# What another version than the rest is tested with may take another way: its own types, the packages' units, sandboxes.
version() {
	service=version
	step "systemd $(number)"
	snapshot >/tmp/before
	local folder=/lib/systemd/system
	expect "the packages' units" verifies "$folder/datadog-agent-sysprobe.service" cws-wrap@toy-simple.service cws-attach@toy-simple.service
	same "the probe" active "$(systemctl is-active datadog-agent-sysprobe)"
	expect "reload of the probe" systemctl reload datadog-agent-sysprobe
	expect "the probe answers" soon /opt/datadog-agent/embedded/bin/system-probe status
	! since 253 || notify_reload
	toy toy-guess 7008
	brief
	toy toy-dynamic 7009
	! since 247 || toy toy-rooted 7026
	toy toy-sandbox 7012
	service=toy-sandbox
	enable toy-sandbox
	expect "the drop-in" verifies toy-sandbox.service
	disable toy-sandbox
	service="what is left"
	snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff || fail "/etc or /run/systemd differ: $(cat /tmp/diff)"
}

reboot() {
	service=reboot
	expect "wrap" cwsctl wrap nginx "$cluster"
	expect "attach" cwsctl attach redis-server
	expect "own" cwsctl status nginx
	expect "by force" cwsctl wrap --force toy-script
}

rebooted() {
	service=rebooted
	expect "nginx answers" soon curl -sf http://127.0.0.1/
	wrapped nginx
	wrapped "$cluster"
	expect "start what was wrapped by force" systemctl start toy-script
	expect "it answers" soon ask 7020 hello
	expect "it is traced" traced "$(ask 7020 pid)"
	follows() { traced "$(main_pid redis-server)"; }
	expect "redis-server is followed" soon follows
	same "nginx was started once" 1 "$(journalctl -b -o cat -u nginx | grep -c '^Started ')"
	mark
	curl -s -o /dev/null http://127.0.0.1/evil
	service=nginx
	detected password_hashes_read
	service=rebooted
	expect "unwrap" cwsctl unwrap nginx "$cluster" redis-server toy-script
	same "settings" "" "$(ls /etc/cws)"
	unwrapped nginx
	same "list" "nothing is wrapped or attached; cwsctl wrap NAME begins" "$(cwsctl list)"
}

"$@"
verdict
