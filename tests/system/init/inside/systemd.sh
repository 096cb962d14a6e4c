#!/bin/bash
# Runs inside a booted systemd container: systemd.sh services|guide|input|reboot|rebooted|newer, or one function with its arguments
# shellcheck disable=SC2317 # functions are called by those that they are given to
set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/system/init/inside/expect.sh disable=SC1091
. ./expect.sh
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

nginx() {
	service=nginx
	requests() { ab -q -n 3000 -c 20 http://127.0.0.1/ | awk '/^Failed requests/ {f=$3} /^Complete requests/ {c=$3} /^Non-2xx/ {f+=$3} END {exit !(c == 3000 && f == 0)}'; }
	enable nginx
	wrapped nginx
	step "traffic, and a reload meanwhile"
	(for _ in 1 2 3; do sleep 0.2; systemctl reload nginx || touch /tmp/reload-failed; done) &
	expect "no request fails" requests
	wait $!
	[[ ! -e /tmp/reload-failed ]] || fail "reload"
	expect "workers after a reload are traced" traced "$(pgrep -u www-data nginx | tail -n 1)"
	mark
	timeout 3 cwsctl events -f nginx >/tmp/live &
	sleep 0.5
	curl -s -o /dev/null http://127.0.0.1/evil
	detected password_hashes_read
	wait $!
	expect "is seen live" grep -q '^20.* password_hashes_read' /tmp/live
	step "figures"
	shown() { cwsctl list -o json | sed -n "s/^ *\"$1\": \([0-9]*\),\{0,1\}$/\1/p"; }
	same "processes" "$(pgrep -x nginx | sort -n | tr '\n' ' ')" "$(cwsctl status nginx | sed -n 's/^  processes .*: //p' | tr ' ' '\n' | sort -n | tr '\n' ' ')"
	local had
	had=$(shown events)
	curl -s -o /dev/null http://127.0.0.1/
	counted() { (($(shown events) > had)); }
	expect "events are counted: $had" soon counted
	same "dropped" 0 "$(shown dropped)"
	step "restart, crash"
	expect "restart" systemctl restart nginx
	wrapped nginx
	had=$(main_pid nginx)
	pkill -KILL -x nginx # the workers as well, which would go on answering for a while
	back() { curl -sf http://127.0.0.1/ && [[ $(main_pid nginx) != "$had" ]]; }
	expect "starts again after a crash" soon back
	wrapped nginx
	step "stop, start, unwrap"
	expect "stop" systemctl stop nginx
	[[ -z $(pgrep -x nginx) ]] || fail "processes are left after stop"
	[[ $(systemctl is-active nginx) == inactive ]] || fail "it is $(systemctl is-active nginx) after stop"
	expect "start" systemctl start nginx
	wrapped nginx
	disable nginx
	unwrapped nginx
	expect "traffic without" requests
	step "start and stop without enabling"
	expect "start" systemctl start cws-wrap@nginx
	wrapped nginx
	expect "stop" systemctl stop cws-wrap@nginx
	unwrapped nginx
}

postgresql() {
	service=$cluster
	enable "$service"
	wrapped "$service"
	su - postgres -c 'createdb bench; pgbench -i -q bench' >/dev/null 2>&1
	expect "no transaction fails" su - postgres -c 'pgbench -n -c 4 -t 100 bench'
	mark
	su - postgres -c "psql -qc \"copy (select 1) to program 'cat >/dev/null'\""
	detected shell_from_server
	expect "reload" systemctl reload "$service"
	expect "restart" systemctl restart "$service"
	wrapped "$service"
	kill -KILL "$(main_pid "$service")"
	expect "starts again after a crash" soon su - postgres -c 'pgbench -n -c 1 -t 1 bench'
	wrapped "$service"
	expect "stop" systemctl stop "$service"
	gone() { ! pgrep -x postgres; } # those that have ended wait for their parent, which may take a moment
	expect "no processes are left after stop" soon gone
	expect "start" systemctl start "$service"
	wrapped "$service"
	disable "$service"
	unwrapped "$service"
	su - postgres -c 'dropdb bench'
}

# Debian's Redis forbids ptrace to itself, so it stays plain and is watched from outside.
redis() {
	service=redis-server
	refuse 1 'SystemCallFilter= forbids ptrace' cwsctl wrap redis-server
	expect "attach" systemctl enable --quiet --now cws-attach@redis-server
	follows() { traced "$(main_pid redis-server)"; }
	expect "attached when it is ready" follows
	expect "no request fails" redis-benchmark -q -n 5000 -c 10 -t set,get
	mark
	redis-cli replicaof 127.0.0.66 7 >/dev/null
	detected rogue_replication
	expect "in its own control group" grep -q '"rogue_replication".*"cgroup":{"id":"[^"]*redis-server.service"' /tmp/new.json
	redis-cli replicaof no one >/dev/null
	expect "restart" systemctl restart redis-server
	expect "attached after a restart" soon follows
	kill -KILL "$(main_pid redis-server)"
	alive() { [[ $(redis-cli ping) == PONG ]] && follows; }
	expect "attached after a crash" soon alive
	expect "stop" systemctl stop redis-server
	gone() { [[ $(systemctl is-active cws-attach@redis-server) == inactive ]]; }
	expect "stops with it" soon gone
	expect "start" systemctl start redis-server
	expect "starts with it" soon follows
	expect "detach" systemctl disable --quiet --now cws-attach@redis-server
	expect "plain" plain "$(main_pid redis-server)"
	same "answers" PONG "$(redis-cli ping)"
}

# standing PID: what systemd gave a process: ids, capabilities, signals, limits, mounts, environment, apart from what is new each time.
# no_new_privs and the filter are the tracer's price, and its own mount is its way in.
standing() {
	local proc=/proc/$1
	grep -E '^(Uid|Gid|Groups|Cap|Umask|SigIgn)' "$proc/status"
	cat "$proc/limits" "$proc/oom_score_adj"
	cut -d: -f2- "$proc/cgroup" | sort
	awk '{print $5}' "$proc/mountinfo" | grep -v cws-instrumentation | sed 's/-[A-Za-z0-9]\{6\}$//' | sort
	tr '\0' '\n' <"$proc/environ" | grep -vE '^(INVOCATION_ID|JOURNAL_STREAM|LISTEN_PID|MAINPID|WATCHDOG_PID|SYSTEMD_EXEC_PID|MEMORY_PRESSURE_WATCH)=' | sort
	readlink "$proc/cwd" "$proc/root"
}

# toy NAME PORT [INSTANCE]: what the toy says of itself, and has of systemd, must be the same wrapped and plain.
toy() {
	service=$1
	local port=$2 before had instance=${3:-$1}
	expect "start" systemctl start "$service"
	expect "answers" soon ask "$port" hello
	before=$(ask "$port" hello)
	had=$(standing "$(ask "$port" pid)")
	step "$before"
	enable "$instance"
	expect "answers wrapped" soon ask "$port" hello
	same "what it says of itself" "$before" "$(ask "$port" hello)"
	main_known() { [[ $(main_pid "$service") != 0 ]]; }
	expect "main process" soon main_known
	wrapped "$service"
	same "main process" "$(main_pid "$service")" "$(ask "$port" pid)"
	diff <(echo "$had") <(standing "$(ask "$port" pid)") >/tmp/diff || fail "it stands otherwise than plain: $(cat /tmp/diff)"
	mark
	expect "hostile act" ask "$port" evil
	[[ $service == toy-root ]] || detected password_hashes_read # there is no such file in there
	expect "restart" systemctl restart "$service"
	expect "answers" soon ask "$port" hello
	if [[ $(systemctl show -p Restart "$service") != Restart=no ]]; then
		local old
		old=$(main_pid "$service")
		ask "$port" quit
		again() { ask "$port" hello && [[ $(main_pid "$service") != "$old" ]]; }
		expect "starts again after a crash" soon again
	fi
	expect "answers" soon ask "$port" hello
	wrapped "$service"
	expect "stop" systemctl stop "$service"
	same "state after stop" inactive "$(systemctl is-active "$service")"
	expect "start" systemctl start "$service"
	expect "answers" soon ask "$port" hello
	wrapped "$service"
	disable "$instance"
	expect "answers plain" soon ask "$port" hello
	unwrapped "$service"
	same "what it says of itself" "$before" "$(ask "$port" hello)"
	systemctl stop "$service"
}

# What a wrapped service with User= may do, and what it may not.
privileges() {
	service=toy-owner
	enable toy-owner
	systemctl start toy-owner
	expect "answers" soon ask 7021 hello
	same "NoNewPrivs" 0 "$(awk '/^NoNewPrivs/ {print $2}' "/proc/$(main_pid toy-owner)/status")"
	same "capabilities" 0000000000000000 "$(awk '/^CapEff/ {print $2}' "/proc/$(main_pid toy-owner)/status")"
	local tracer
	tracer=$(awk '/^TracerPid/ {print $2}' "/proc/$(main_pid toy-owner)/status")
	same "owner of the tracer" root "$(stat -c %U "/proc/$tracer")"
	disable toy-owner
	systemctl stop toy-owner
}

# What runs before and after the main program, and on reload; and a watchdog that bites.
around() {
	service=toy-idle
	enable toy-idle
	systemctl start toy-idle
	expect "answers" soon ask 7023 hello
	same "around it" "before main $(main_pid toy-idle)" "$(tr '\n' ' ' </run/toy-idle | sed 's/ $//')"
	disable toy-idle
	systemctl stop toy-idle
	[[ ! -e /run/toy-idle ]] || fail "ExecStopPost= did not run"
	service=toy-notify
	enable toy-notify
	systemctl start toy-notify
	local old
	old=$(main_pid toy-notify)
	sleep 4
	same "the watchdog is content" "$old" "$(main_pid toy-notify)"
	expect "reload" systemctl reload toy-notify
	same "reloads" 1 "$(ask 7006 reloads)"
	ask 7006 hang >/dev/null
	again() { ask 7006 hello && [[ $(main_pid toy-notify) != "$old" ]]; }
	expect "starts again when the watchdog bites" soon again
	wrapped toy-notify
	disable toy-notify
	systemctl stop toy-notify
}

version() { systemctl --version | awk 'NR == 1 {print $2}'; }

# systemd itself signals the main process, and waits for its word: the type came with 253.
notify_reload() {
	toy toy-reload 7027
	enable toy-reload
	systemctl start toy-reload
	expect "reload" systemctl reload toy-reload
	same "reloads" 1 "$(ask 7027 reloads)"
	wrapped toy-reload
	disable toy-reload
	systemctl stop toy-reload
}

# ends KILLMODE SIGNAL COMMAND: a wrapped service ends as it would plain, in time, and what it does last is seen.
ends() {
	step "$1 $2"
	local began
	printf '[Service]\nKillMode=%s\nKillSignal=%s\nTimeoutStopSec=2\nExecStart=/bin/sh -c "%s"\n' "$@" >/run/systemd/system/toy-ends.service
	systemctl daemon-reload
	systemctl start toy-ends
	listens() { pgrep -P "$(main_pid toy-ends)" sleep && traced "$(main_pid toy-ends)"; }
	expect "runs behind the tracer" soon listens
	mark
	began=$SECONDS
	expect "stop" systemctl stop toy-ends
	((SECONDS - began <= 4)) || fail "stopping took $((SECONDS - began)) seconds"
	same "state" inactive "$(systemctl is-active toy-ends | sed s/failed/inactive/)"
	left() { pgrep -f '[t]oy-ends' || grep -l toy-ends.service /proc/[0-9]*/cgroup; }
	[[ $1 == none ]] || ! left >/tmp/left 2>/dev/null || fail "left: $(cat /tmp/left)"
}

endings() {
	# By the shell itself: systemd signals processes that appear meanwhile, too, and may so end one before it has opened anything.
	local last='trap \"read -r hash </etc/shadow; exit 0\"' loop='while :; do sleep 0.1; done # toy-ends' signal
	service=toy-ends
	printf '[Service]\nExecStart=/bin/true x\n' >/run/systemd/system/toy-ends.service
	systemctl daemon-reload
	printf '[Service]\nExecStart=/bin/sleep 1000\n' >/run/systemd/system/toy-ends.service
	systemctl daemon-reload
	enable toy-ends
	for signal in TERM INT QUIT HUP USR1 ABRT; do
		ends control-group "SIG$signal" "$last $signal; $loop"
		detected password_hashes_read
	done
	ends process SIGTERM "$last TERM; $loop"
	detected password_hashes_read
	ends mixed SIGTERM "$last TERM; $loop"
	detected password_hashes_read
	ends control-group SIGTERM 'trap : TERM; while :; do sleep 0.1; done # toy-ends' # until SIGKILL
	ends none SIGTERM "$loop"
	expect "what KillMode=none leaves is traced" traced "$(pgrep -f '^/bin/sh.*[t]oy-ends')"
	pkill -f '^/bin/sh.*[t]oy-ends'
	expect "the tracer leaves after it" soon bash -c "! grep -qs toy-ends.service /proc/[0-9]*/cgroup"
	disable toy-ends
	rm /run/systemd/system/toy-ends.service
	systemctl daemon-reload
}

socket_activated() {
	service=toy-socket
	systemctl start toy-socket.socket
	enable toy-socket
	mark
	expect "hostile act" ask 7005 evil
	wrapped toy-socket
	detected password_hashes_read
	disable toy-socket
	systemctl stop toy-socket.service
	expect "answers plain" ask 7005 hello
	unwrapped toy-socket
	systemctl stop toy-socket.socket toy-socket.service
}

several_commands() {
	service=toy-oneshot
	systemctl start toy-oneshot
	enable toy-oneshot
	same "it did not run again" "first second third" "$(tr '\n' ' ' </run/toy-oneshot | sed 's/ $//')"
	mark
	systemctl restart toy-oneshot
	same "commands" "first second third" "$(tr '\n' ' ' </run/toy-oneshot | sed 's/ $//')"
	detected password_hashes_read
	disable toy-oneshot
	systemctl stop toy-oneshot
}

init_script() {
	service=toy-script
	systemctl start toy-script
	expect "answers" soon ask 7020 hello
	enable toy-script
	expect "answers wrapped" soon ask 7020 hello
	expect "traced" traced "$(ask 7020 pid)"
	mark
	expect "hostile act" ask 7020 evil
	detected password_hashes_read
	expect "restart by the script" /etc/init.d/toy-script restart
	expect "answers" soon ask 7020 hello
	expect "traced" traced "$(ask 7020 pid)"
	disable toy-script
	expect "answers plain" soon ask 7020 hello
	expect "plain" plain "$(ask 7020 pid)"
	systemctl stop toy-script
}

own_command() {
	service=own
	mkdir -p /etc/cws
	printf '%s\n' 'Command=/usr/bin/toy' 'Arguments=-listen 127.0.0.1:7100 "a b"' 'User=daemon' 'Environment="X=a b"' >/etc/cws/own.conf
	enable own
	expect "answers" soon ask 7100 hello
	same "what it says of itself" 'argv0=/usr/bin/toy args=["a b"] uid=1 gid=1 groups=1 home=/usr/sbin user=daemon' "$(ask 7100 hello)"
	expect "traced" traced "$(ask 7100 pid)"
	mark
	ask 7100 evil >/dev/null
	detected password_hashes_read
	disable own
	step "by Match="
	setsid /usr/bin/myapp </dev/null >/dev/null 2>&1 &
	expect "answers" soon ask 7900 hello
	echo Match=myapp >/etc/cws/own.conf
	expect "attach" systemctl enable --quiet --now cws-attach@own
	expect "traced when it is ready" traced "$(pidof myapp)"
	kill "$(pidof myapp)"
	ended() { ! pidof myapp; } # its port is free then
	expect "it ends" soon ended
	setsid /usr/bin/myapp </dev/null >/dev/null 2>&1 &
	expect "answers" soon ask 7900 hello
	follows() { traced "$(pidof myapp)"; }
	expect "the next one is followed" soon follows
	expect "detach" systemctl disable --quiet --now cws-attach@own
	expect "plain" plain "$(pidof myapp)"
	kill "$(pidof myapp)"
	step "with the filter installed in a service"
	systemctl start toy-simple
	expect "answers" soon ask 7001 hello
	echo InstallFilter=yes >/etc/cws/toy-simple.conf
	expect "attach" systemctl enable --quiet --now cws-attach@toy-simple
	filtered() { [[ $(awk '/^Seccomp:/ {print $2}' "/proc/$(main_pid toy-simple)/status") == 2 ]]; }
	expect "the filter is there" soon filtered
	expect "answers" ask 7001 hello
	expect "detach" systemctl disable --quiet --now cws-attach@toy-simple
	expect "answers" ask 7001 hello
	systemctl stop toy-simple
	rm -r /etc/cws
	systemctl daemon-reload
}

services() {
	snapshot >/tmp/before
	nginx
	postgresql
	redis
	toy toy-simple 7001
	toy toy-exec 7002
	toy toy-colon 7003
	toy toy-notify 7006
	toy toy-forking 7007
	toy toy-guess 7008
	toy toy-dynamic 7009
	toy toy-user 7010
	toy toy-owner 7021
	privileges
	toy toy-switch 7011
	toy toy-sandbox 7012
	toy toy-capable 713
	toy toy-root 7015
	toy toy-many@7016 7016
	toy 'toy\x2descape' 7017
	toy toy-dropin 7018
	toy toy-simple 7001 toy-alias
	toy toy-bus 7022
	toy toy-idle 7023
	toy toy-plus 7024
	toy toy-bang 7025
	(($(version) < 253)) || notify_reload
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

# verifies UNIT…: systemd finds nothing to say against what it reads.
verifies() {
	local out
	out=$(systemd-analyze verify --man=no "$@" 2>&1) || { echo "${out:-no reason given}"; return 1; }
	[[ -z $out ]] || { echo "$out"; return 1; }
}

# What a version newer than the rest is tested with may take another way: its own types, the packages' units, sandboxes.
newer() {
	service=newer
	step "systemd $(version)"
	snapshot >/tmp/before
	local folder=/usr/lib/systemd/system
	expect "the packages' units" verifies "$folder/datadog-agent-sysprobe.service" cws-wrap@toy-simple.service cws-attach@toy-simple.service
	same "the probe" active "$(systemctl is-active datadog-agent-sysprobe)"
	expect "reload of the probe" systemctl reload datadog-agent-sysprobe
	expect "the probe answers" soon /opt/datadog-agent/embedded/bin/system-probe status
	notify_reload
	toy toy-guess 7008
	toy toy-dynamic 7009
	toy toy-sandbox 7012
	service=toy-sandbox
	enable toy-sandbox
	expect "the drop-in" verifies toy-sandbox.service
	disable toy-sandbox
	service="what is left"
	snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff || fail "/etc or /run/systemd differ: $(cat /tmp/diff)"
}

# What is refused changes nothing and says why in one line.
input() {
	service=input
	snapshot >/tmp/before
	refuse 1 'no such service' cwsctl wrap nosuch
	refuse 1 'SystemCallFilter= forbids ptrace' cwsctl wrap toy-filter
	refuse 1 'masked' cwsctl wrap toy-masked
	refuse 1 'LimitFSIZE=1M leaves no room' cwsctl wrap toy-limited
	refuse 2 'template' cwsctl wrap toy-many@
	if systemctl enable --quiet --now cws-wrap@toy-filter 2>/dev/null; then fail "systemctl wraps what can't be wrapped"; fi
	grep -q 'SystemCallFilter= forbids ptrace' <(journalctl -o cat -u cws-wrap@toy-filter) || fail "the journal doesn't say why"
	systemctl disable --quiet --now cws-wrap@toy-filter
	systemctl reset-failed cws-wrap@toy-filter
	refuse 1 'does nothing' cwsctl wrap postgresql
	refuse 1 'part of the tracing' cwsctl wrap datadog-agent-sysprobe
	refuse 1 'made by another generator' cwsctl wrap toy-generated
	refuse 1 'neither wrapped nor attached' cwsctl unwrap nginx
	local bad
	# shellcheck disable=SC2016 # no shell may ever expand it
	for bad in '' '../nginx' 'a/b' 'a;reboot' '$(reboot)' $'a\nb' 'a b' '-h x' "$(printf 'x%.0s' {1..300})"; do
		refuse 2 'name of a service|unknown (shorthand )?flag' cwsctl wrap -- "$bad"
	done
	mkdir -p /etc/cws
	echo 'Command=rm -rf /' >/etc/cws/bad.conf
	refuse 1 'full path' cwsctl wrap bad
	chmod 666 /etc/cws/bad.conf
	refuse 1 'nobody else may write' cwsctl wrap bad
	rm -r /etc/cws
	expect "wrap" cwsctl wrap toy-simple
	refuse 1 'wrapped already' cwsctl wrap toy-simple
	refuse 1 'wrapped already' cwsctl attach toy-simple
	step "two at once"
	flock -n /var/lib/cws/changes/lock sleep 2 &
	sleep 0.5
	refuse 1 'another cwsctl' cwsctl unwrap toy-simple
	wait
	step "an interrupted change is taken back by the next"
	echo '{"service":"toy-simple","mode":"wrap","enable":true}' >/var/lib/cws/changes/wrap-toy-simple.json
	cwsctl unwrap toy-simple >/tmp/out 2>&1
	grep -q 'interrupted and is taken back' /tmp/out || fail "says $(cat /tmp/out)"
	[[ ! -e /var/lib/cws/changes/wrap-toy-simple.json ]] || fail "the journal keeps it"
	step "wrap is killed"
	local after
	systemctl start toy-notify
	for after in 0.05 0.3 0.8 1.4; do
		timeout -s KILL "$after" cwsctl wrap toy-notify >/dev/null 2>&1
		expect "wrap after it was killed $after seconds on" again wrap toy-notify
		wrapped toy-notify
		timeout -s KILL "$after" cwsctl unwrap toy-notify >/dev/null 2>&1
		expect "unwrap after it was killed $after seconds on" again unwrap toy-notify
		expect "answers" soon ask 7006 hello
		unwrapped toy-notify
		[[ -z $(ls /var/lib/cws/changes/*.json /run/cws/wrap/* 2>/dev/null) ]] || fail "left: $(ls /var/lib/cws/changes /run/cws/wrap)"
	done
	systemctl stop toy-notify
	step "a full disk"
	mount -t tmpfs -o size=4k tmpfs /var/lib/cws/changes
	head -c 4096 /dev/zero >/var/lib/cws/changes/fill
	refuse 1 'no space left' cwsctl wrap toy-simple
	umount /var/lib/cws/changes
	full_run
	generated
	step "a reload that fails"
	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '#!/bin/sh' 'case "$1" in enable) /usr/bin/systemctl "$@"; echo "Failed to reload daemon: no reply" >&2; exit 1 ;; esac' \
		'exec /usr/bin/systemctl "$@"' >/usr/local/bin/systemctl
	chmod +x /usr/local/bin/systemctl
	refuse 1 'Failed to reload daemon' cwsctl wrap toy-simple
	rm /usr/local/bin/systemctl
	step "a unit that can't be read"
	ln -s /nowhere/toy-lost.service /etc/systemd/system/toy-lost.service
	refuse 1 'no such file' cwsctl wrap toy-lost
	rm /etc/systemd/system/toy-lost.service
	step "a service that does not come up wrapped runs plain"
	printf '#!/bin/sh\nexit 7\n' >/tmp/broken
	chmod +x /tmp/broken
	systemctl start toy-notify
	mount --bind /tmp/broken /opt/datadog-agent/embedded/bin/cws-instrumentation
	if cwsctl wrap toy-notify >/tmp/out 2>&1; then fail "a broken tracer was taken"; fi
	umount /opt/datadog-agent/embedded/bin/cws-instrumentation
	expect "answers" soon ask 7006 hello
	unwrapped toy-notify
	step "a tracer that does not trace"
	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '#!/bin/sh' 'while [ "$1" != -- ]; do shift; done; shift; exec "$@"' >/tmp/broken
	mount --bind /tmp/broken /opt/datadog-agent/embedded/bin/cws-instrumentation
	refuse 1 'starts, but untraced' cwsctl wrap toy-notify
	umount /opt/datadog-agent/embedded/bin/cws-instrumentation
	grep -q 'starts, but untraced' <(journalctl -o cat -u cws-wrap@toy-notify) || fail "the journal doesn't say that it is untraced"
	expect "answers" soon ask 7006 hello
	unwrapped toy-notify
	systemctl stop toy-notify
	cwsctl list | grep toy-notify && fail "it is listed still"
	snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff || fail "/etc or /run/systemd differ: $(cat /tmp/diff)"
}

# The folder of what generators write is full: the service stays plain, and nothing half-written is left.
full_run() {
	step "a full /run"
	systemctl start toy-simple
	mount -o "remount,size=$(($(df -k --output=used /run | tail -n 1) + 4))k" /run
	head -c 1M /dev/zero >/run/fill 2>/dev/null
	refuse 1 'no space left|not enough space' cwsctl wrap toy-simple # systemd itself wants 16 MB, from some version on
	rm /run/fill
	mount -o remount,size=20% /run
	expect "answers" soon ask 7001 hello
	unwrapped toy-simple
	[[ -z $(find /run/cws /run/systemd/generator* \( -name '*cws*' -o -size 0 \) -type f) ]] || fail "left: $(find /run/cws /run/systemd/generator*)"
	expect "wrap, now that there is room" cwsctl wrap toy-simple
	wrapped toy-simple
	step "a generator without room"
	mkdir -p /tmp/full
	mount -t tmpfs -o size=4k tmpfs /tmp/full
	head -c 4096 /dev/zero >/tmp/full/fill
	expect "is no failure of the boot" /usr/lib/systemd/system-generators/cws-generator /tmp/full /tmp/full /tmp/full
	same "files" /tmp/full/fill "$(find /tmp/full -type f)"
	umount /tmp/full
	rmdir /tmp/full
	expect "unwrap" cwsctl unwrap toy-simple
	systemctl stop toy-simple
}

# generated: what cwsctl writes to a folder is what it prints, for each init system, and is there wholly or not at all.
generated() {
	step "generate"
	local what file
	mkdir -p /etc/init /tmp/full
	printf 'expect fork\nexec /usr/bin/toy\n' >/etc/init/toy-job.conf
	for what in 'systemd toy-simple' 'sysvinit toy-script' 'upstart toy-job'; do
		# shellcheck disable=SC2086 # words
		file=$(cwsctl generate $what --out /tmp/generated | head -n 1)
		# shellcheck disable=SC2086
		same "generate $what" "# ${file#/tmp/generated}"$'\n'"$(cat "$file")" "$(cwsctl generate $what | head -n "$(($(wc -l <"$file") + 1))")"
	done
	expect "the script" sh -n /tmp/generated/etc/init.d/cws-wrap-toy-script
	mount -t tmpfs -o size=4k tmpfs /tmp/full
	head -c 4096 /dev/zero >/tmp/full/fill 2>/dev/null
	refuse 1 'no space left' cwsctl generate systemd toy-simple --out /tmp/full
	same "files in the full folder" /tmp/full/fill "$(find /tmp/full -type f)"
	umount /tmp/full
	rm -r /etc/init /tmp/generated /tmp/full
}

# The units that the original's guide has its readers write.
guide() {
	service=guide
	local literal
	cp guide/*.service /etc/systemd/system/
	systemctl daemon-reload
	systemctl start myapp-wrapped
	expect "answers" soon ask 7900 hello
	expect "traced" traced "$(pidof myapp)"
	kill -KILL "$(pidof myapp)"
	expect "starts again after a crash" soon ask 7900 hello
	expect "stop" systemctl stop myapp-wrapped
	systemctl start my-app
	expect "answers" soon ask 7900 hello
	systemctl start myapp-attached
	attached() { traced "$(pidof myapp)"; }
	expect "attached" soon attached
	systemctl stop myapp-attached
	expect "detached" plain "$(pidof myapp)"
	# shellcheck disable=SC2016 # that is what is tested
	for literal in '$PID' '${PID}'; do
		same "attach by a literal $literal" 0 "$(literal_pid "$literal")"
		expect "detached" plain "$(pidof myapp)"
	done
	systemctl stop my-app
	entrypoint
	rm /etc/systemd/system/{myapp-wrapped,myapp-attached,my-app}.service
	systemctl daemon-reload
}

# In a container's ENTRYPOINT nothing expands $PID but the tracer itself.
literal_pid() {
	local tracer
	PID=$(pidof myapp) timeout -k 1 30 /opt/datadog-agent/embedded/bin/cws-instrumentation trace --pid "$1" >&2 &
	tracer=$!
	attached() { traced "$(pidof myapp)"; }
	soon attached
	echo $?
	kill $tracer
	wait $tracer
}

# ENTRYPOINT and CMD of the guide's image, as process 1.
entrypoint() {
	timeout -s KILL 3 unshare --pid --fork --kill-child --mount-proc /opt/datadog-agent/embedded/bin/cws-instrumentation trace -- \
		/bin/bash -c "while true; do sleep 1; echo my app is running; done" >/tmp/out 2>&1
	grep -q 'my app is running' /tmp/out || fail "entrypoint says $(cat /tmp/out)"
}

reboot() {
	service=reboot
	expect "wrap" cwsctl wrap nginx "$cluster"
	expect "attach" cwsctl attach redis-server
	expect "own" cwsctl status nginx
}

rebooted() {
	service=rebooted
	expect "nginx answers" soon curl -sf http://127.0.0.1/
	wrapped nginx
	wrapped "$cluster"
	follows() { traced "$(main_pid redis-server)"; }
	expect "redis-server is followed" soon follows
	same "nginx was started once" 1 "$(journalctl -b -o cat -u nginx | grep -c '^Started nginx')"
	mark
	curl -s -o /dev/null http://127.0.0.1/evil
	service=nginx
	detected password_hashes_read
	service=rebooted
	expect "unwrap" cwsctl unwrap nginx "$cluster" redis-server
	unwrapped nginx
	same "list" "nothing is wrapped or attached; cwsctl wrap NAME begins" "$(cwsctl list)"
}

"$@"
verdict
