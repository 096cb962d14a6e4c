# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # expect.sh and systemd.sh have and read what is not used here
# Sourced by systemd.sh: bad input, full disks, interrupted calls, and what cwsctl writes to files.

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
	refuse 1 'generated: another generator makes its unit from /etc/toytab' cwsctl wrap toy-generated
	refuse 1 'generated: another generator' cwsctl wrap --force toy-generated
	refuse 1 'neither wrapped nor attached' cwsctl unwrap nginx
	local bad
	# shellcheck disable=SC2016 # no shell may ever expand it
	for bad in '' '../nginx' 'a/b' 'a;reboot' '$(reboot)' $'a\nb' 'a b' '-h x' "$(printf 'x%.0s' {1..300})"; do
		refuse 2 'name of a service|unknown (shorthand )?flag' cwsctl wrap -- "$bad"
	done
	echo 'Command=rm -rf /' >/etc/cws/bad.conf
	refuse 1 'full path' cwsctl wrap bad
	chmod 666 /etc/cws/bad.conf
	refuse 1 'nobody else may write' cwsctl wrap bad
	rm /etc/cws/bad.conf
	unasked
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
	printf '%s\n' '#!/bin/sh' 'case "$1" in enable) /bin/systemctl "$@"; echo "Failed to reload daemon: no reply" >&2; exit 1 ;; esac' \
		'exec /bin/systemctl "$@"' >/usr/local/bin/systemctl
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

# plainly NAME PORT PATTERN: systemctl can't put it behind a tracer, the journal says why in the words of cwsctl, and it is plain at
# the next start, too.
plainly() {
	step "systemctl enable --now cws-wrap@$1"
	if systemctl enable --quiet --now "cws-wrap@$1" 2>/dev/null; then fail "systemctl wraps $1"; fi
	grep -qE "$3" <(journalctl -o cat -u "cws-wrap@$1") || fail "the journal of cws-wrap@$1 doesn't say $3"
	expect "restart" systemctl restart "$1"
	expect "plain" soon plain "$(ask "$2" pid)"
	if systemctl cat "$1" | grep -q cws-wrap; then fail "there is a drop-in"; fi
}

# Static and generated services are wrapped only for who insists, by --force or in the settings.
unasked() {
	service=unasked
	local made='generated: systemd-sysv-generator makes its unit from /etc/init.d/toy-script' pid
	local static='static: its unit has no \[Install\] section, and toy-socket.socket starts it'
	refuse 1 "$static" cwsctl wrap toy-socket
	refuse 1 "$made" cwsctl wrap toy-script
	refuse 1 "$made" cwsctl wrap --dry-run toy-script
	refuse 1 "$made" cwsctl generate systemd toy-script
	refuse 1 'SystemCallFilter= forbids ptrace' cwsctl wrap --force toy-filter
	systemctl start toy-socket.socket toy-socket.service
	expect "attach to a static service" cwsctl attach toy-socket
	expect "attached" traced "$(main_pid toy-socket)"
	expect "detach" cwsctl unwrap toy-socket
	plainly toy-socket 7005 "$static"
	step "its settings insist"
	echo Force=yes >/etc/cws/toy-socket.conf
	expect "start" systemctl start cws-wrap@toy-socket
	wrapped toy-socket
	pid=$(main_pid toy-socket)
	step "its settings insist no longer"
	rm /etc/cws/toy-socket.conf
	expect "reload" systemctl daemon-reload
	same "it runs on" "$pid" "$(main_pid toy-socket)"
	grep -q 'systemctl restart cws-wrap@toy-socket.service says why' <(cwsctl status toy-socket) || fail "status says $(cwsctl status toy-socket)"
	disable toy-socket
	unwrapped toy-socket
	systemctl stop toy-socket.service toy-socket.socket
	systemctl start toy-script
	plainly toy-script 7020 "$made"
	disable toy-script
	systemctl reset-failed cws-wrap@toy-script
	step "by force"
	expect "wrap" cwsctl wrap --force toy-script
	expect "traced" traced "$(ask 7020 pid)"
	expect "reload" systemctl daemon-reload
	expect "restart" systemctl restart toy-script
	expect "traced" soon traced "$(ask 7020 pid)"
	refuse 1 'wrapped already' cwsctl wrap --force toy-script
	expect "unwrap" cwsctl unwrap toy-script
	expect "plain" plain "$(ask 7020 pid)"
	local after
	for after in 0.05 0.3; do
		timeout -s KILL "$after" cwsctl wrap --force toy-script >/dev/null 2>&1
		expect "unwrap after it was killed $after seconds on" again unwrap toy-script
		same "settings" "" "$(ls /etc/cws)"
		expect "plain" plain "$(ask 7020 pid)"
	done
	systemctl stop toy-script
	expect "by force where it needs none" cwsctl wrap --force toy-simple
	expect "unwrap" cwsctl unwrap toy-simple
	same "settings" "" "$(ls /etc/cws)"
	as_systemd_has_it
	as_systemd_reads_it
	service=input
}

# What cwsctl calls static or generated is what systemd calls so, and of that nothing is wrapped. What another generator enables is
# static to ours, which runs beside it.
as_systemd_has_it() {
	step "all services there are"
	local unit state said wraps
	while read -r unit state _; do
		[[ $unit != *@.service && $state != alias && -z $(find /run/systemd/generator* -path "*/$unit") ]] || continue
		wraps=yes
		said=$(cwsctl wrap --dry-run "$unit" 2>&1) || wraps=no
		case $state,$wraps,$said in
		static,yes,* | generated,yes,*) fail "$unit is $state and would be wrapped" ;;
		static,*'it is generated'* | generated,*'it is static'*) fail "$unit is $state: $said" ;;
		static,* | generated,*) ;;
		*'it is static'* | *'it is generated'*) fail "$unit is $state: $said" ;;
		esac
	done < <(systemctl list-unit-files --type=service --no-legend --no-pager)
}

# What forbids the tracer counts where systemd reads it, and nowhere else.
as_systemd_reads_it() {
	step "all folders of drop-ins"
	local units=/etc/systemd/system folder read found
	printf '[Service]\nExecStart=/usr/bin/toy\n%b' "$enablable" >"$units/toy-a-b@.service"
	for folder in toy-a-b@{c,,d}.service.d toy-a-{,@c,@,@d}.service.d toy-{,@c,@}.service.d toy-a{,@}.service.d service.d; do
		mkdir "$units/$folder"
		printf '[Service]\nSystemCallFilter=~ptrace\n' >"$units/$folder/forbids.conf"
		systemctl daemon-reload
		read=no found=no
		[[ $(systemctl show -p DropInPaths toy-a-b@c) != *forbids.conf* ]] || read=yes
		[[ $(cwsctl wrap --dry-run toy-a-b@c 2>&1) != *'forbids ptrace'* ]] || found=yes
		same "$folder is read" $read $found
		rm -r "${units:?}/$folder"
	done
	rm "$units/toy-a-b@.service"
	systemctl daemon-reload
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
	expect "is no failure of the boot" /lib/systemd/system-generators/cws-generator /tmp/full /tmp/full /tmp/full
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
