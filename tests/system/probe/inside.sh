#!/bin/bash
# Runs inside the booted container.
# shellcheck disable=SC2317,SC2034,SC2154 # functions are called by those that they are given to; expect.sh has the names
set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/system/init/inside/expect.sh disable=SC1091
. ./expect.sh
service=probe
unit=datadog-agent-sysprobe
policies=/etc/datadog-agent/runtime-security.d

trace() { cws-instrumentation trace -- "$@"; }
# field NAME MATCH…: of the last entry that journalctl finds.
field() { journalctl -q -t system-probe -n 1 -o export --output-fields="$1" "${@:2}" | sed -n "s/^$1=//p"; }
said() { journalctl -q -b -o cat -u $unit | grep -qE "$1"; }
found() { [[ -n $(journalctl -q -b -t system-probe "$@") ]]; }

in_the_journal() {
	step "a detection is found by its fields"
	expect "trace" trace cat /etc/hostname
	expect "found by its rule" soon found RULE_ID=hostname_read
	local name want
	while read -r name want; do
		same "$name" "$want" "$(field "$name" RULE_ID=hostname_read)"
	done <<-END
		EVENT_TYPE open
		OUTCOME Success
		POLICY_NAME first.policy
		FILE_PATH /etc/hostname
		TARGET_COMM cat
		TARGET_EXE $(readlink -f "$(type -P cat)")
		TARGET_UID 0
		TECHNIQUE T1082
		SEVERITY high
		PRIORITY 3
	END
	expect "found by two fields" found EVENT_TYPE=open TARGET_COMM=cat
	! found RULE_ID=hostname_read TARGET_COMM=tac || fail "a field is not compared"
	expect "the whole detection is there" grep -q '"rule_id":"hostname_read"' <(field DETECTION RULE_ID=hostname_read)
	expect "the notice of the rules is there" found RULE_ID=ruleset_loaded
	expect "so is that of the tracer" found RULE_ID=ebpfless_hello_msg
}

reloaded() {
	step "systemctl reload: new rules, broken rules"
	trace sleep 60 &
	soon pgrep -x sleep || fail "sleep does not run"
	cp second.policy $policies/
	expect "reload" systemctl reload $unit
	expect "the new rules are in force" soon said '^system-probe: 3 rules are in force'
	expect "the tracer that they ask too much of is named" soon said 'wrapped \["sleep" "60"\].*leaves out connect: restart what it traces'
	pkill -x sleep
	expect "trace" trace bash -c ': 2>/dev/null >/dev/tcp/127.0.0.1/9 || true'
	expect "the new rule hits" soon found RULE_ID=port_asked
	echo 'rules: [' >$policies/third.policy
	expect "reload" systemctl reload $unit
	expect "what is broken is told" soon said 'third.policy:.*the rules of before stay in force'
	rm $policies/third.policy
	expect "trace" trace cat /etc/hostname
	same "policy of the rule that still hits" first.policy "$(field POLICY_NAME RULE_ID=hostname_read)"
}

acted() {
	step "a program of no package is killed and hashed, within the sandbox of the unit"
	cp /bin/sleep /root/miner
	trace sh -c '/root/miner 60' 2>/dev/null
	expect "detected" soon found RULE_ID=sleeper_killed
	local detection
	detection=$(field DETECTION RULE_ID=sleeper_killed)
	[[ $detection =~ '"type":"kill","signal":"SIGKILL","scope":"process","status":"performed"' ]] || fail "the kill: $detection"
	[[ $detection =~ '"type":"hash","path":"/root/miner","state":"Done"' ]] || fail "the hash: $detection"
	expect "the hash is that of the file" grep -q "sha256:$(sha256sum /root/miner | cut -d' ' -f1)" <<<"$detection"
	[[ $detection =~ '"package_name":"dash"' ]] || fail "the parent's package is not told: $detection"
	! pgrep -x miner || fail "it lives"
}

shown() {
	step "system-probe events -f shows them live and in colour, also in a file that takes the other's place"
	CLICOLOR_FORCE=1 timeout 20 system-probe events -f -n 1 >/tmp/live &
	local follower=$!
	soon test -s /tmp/live || fail "the last one is not shown"
	mv "$detections" "$detections.1"
	shown_again() { [[ $(grep -c $'\e\\[31;1mhostname_read' /tmp/live) -gt $before ]]; }
	local before
	before=$(grep -c hostname_read /tmp/live)
	expect "trace" trace cat /etc/hostname
	expect "shown" soon shown_again
	kill $follower
	[[ -s $detections ]] || fail "nothing is in the new file"
}

watched() {
	step "what the probe can't see here is said"
	expect "said" said 'proc connector.*: /proc is read every 500ms instead, and what ends in between is not seen'
	cp /bin/sleep /root/miner
	(exec /root/miner 60) &
	local miner=$!
	expect "killed without a tracer" soon bash -c "! kill -0 $miner"
}

expect "the probe is up" systemctl is-active $unit
in_the_journal
reloaded
acted
shown
watched
verdict
