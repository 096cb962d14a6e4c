# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # expect.sh and systemd.sh have and read what is not used here
# Sourced by systemd.sh: each directive of a unit, by a program that says how it was started.

# standing PID: what systemd gave a process: ids, capabilities, signals, limits, mounts, environment, apart from what is new each time.
# no_new_privs and the filter are the tracer's price, its own mount is its way in, and that of the socket its way to systemd.
standing() {
	local proc=/proc/$1
	grep -E '^(Uid|Gid|Groups|Cap|Umask|SigIgn)' "$proc/status"
	cat "$proc/limits" "$proc/oom_score_adj"
	cut -d: -f2- "$proc/cgroup" | sort
	awk '{print $5}' "$proc/mountinfo" | grep -vE 'cws-instrumentation|^/run/systemd/notify$' | sed 's/-[A-Za-z0-9]\{6\}$//' | sort
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
	wrapped "$service"
	same "main process" "$(main_pid "$service")" "$(ask "$port" pid)"
	diff <(echo "$had") <(standing "$(ask "$port" pid)") >/tmp/diff || fail "it stands otherwise than plain: $(cat /tmp/diff)"
	mark
	expect "hostile act" ask "$port" evil
	[[ $service == toy-root* ]] || detected password_hashes_read # there is no such file in there
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

# A main process that fails within milliseconds: systemd knows it each time, and starts it again until its own limit is reached.
brief() {
	service=toy-brief
	enable toy-brief
	local round
	for round in 1 2 3; do
		rm -f /run/toy-brief
		systemctl reset-failed toy-brief 2>/dev/null # there is nothing to reset at first
		systemctl start toy-brief 2>/dev/null # which may see it fail
		limited() { [[ $(systemctl is-active toy-brief) == failed ]]; }
		started() { [[ $(grep -c '^main [1-9]' /run/toy-brief) == 5 ]]; }
		expect "started five times with a main process each, round $round" soon started
		expect "given up then" soon limited
	done
	disable toy-brief
	systemctl stop toy-brief
	systemctl reset-failed toy-brief
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

enablable='[Install]\nWantedBy=multi-user.target\n'

# ends KILLMODE SIGNAL COMMAND: a wrapped service ends as it would plain, in time, and what it does last is seen.
ends() {
	step "$1 $2"
	local began
	printf '[Service]\nKillMode=%s\nKillSignal=%s\nTimeoutStopSec=2\nExecStart=/bin/sh -c "%s"\n%b' "$@" "$enablable" >/run/systemd/system/toy-ends.service
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
	printf '[Service]\nExecStart=/bin/true x\n%b' "$enablable" >/run/systemd/system/toy-ends.service
	systemctl daemon-reload
	printf '[Service]\nExecStart=/bin/sleep 1000\n%b' "$enablable" >/run/systemd/system/toy-ends.service
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

# It is static, so that cwsctl must be told.
socket_activated() {
	service=toy-socket
	systemctl start toy-socket.socket
	expect "wrap by force" cwsctl wrap --force toy-socket
	mark
	expect "hostile act" ask 7005 evil
	wrapped toy-socket
	detected password_hashes_read
	expect "unwrap" cwsctl unwrap toy-socket
	[[ ! -e /etc/cws/toy-socket.conf ]] || fail "its settings still insist"
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
	echo Force=yes >/etc/cws/toy-script.conf # systemd generates its unit
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
	same "settings" Force=yes "$(cat /etc/cws/toy-script.conf)"
	rm /etc/cws/toy-script.conf
	systemctl stop toy-script
}

own_command() {
	service=own
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
	apart /usr/bin/myapp
	expect "answers" soon ask 7900 hello
	echo Match=myapp >/etc/cws/own.conf
	expect "attach" systemctl enable --quiet --now cws-attach@own
	expect "traced when it is ready" traced "$(pidof myapp)"
	kill "$(pidof myapp)"
	ended() { ! pidof myapp; } # its port is free then
	expect "it ends" soon ended
	apart /usr/bin/myapp
	expect "answers" soon ask 7900 hello
	follows() { traced "$(pidof myapp)"; }
	expect "the next one is followed" soon follows
	expect "detach" systemctl disable --quiet --now cws-attach@own
	expect "plain" plain "$(pidof myapp)"
	by_match_with_the_filter systemctl enable --quiet --now cws-attach@own
	expect "detach" systemctl disable --quiet --now cws-attach@own
	expect "answers" ask 7900 hello
	kill "$(pidof myapp)"
	step "with the filter installed in a service"
	systemctl start toy-simple
	expect "answers" soon ask 7001 hello
	echo InstallFilter=yes >/etc/cws/toy-simple.conf
	expect "attach" systemctl enable --quiet --now cws-attach@toy-simple
	expect "the filter is there" soon filtered "$(main_pid toy-simple)"
	expect "answers" ask 7001 hello
	expect "detach" systemctl disable --quiet --now cws-attach@toy-simple
	expect "answers" ask 7001 hello
	systemctl stop toy-simple
	rm /etc/cws/*
	systemctl daemon-reload
}
