# shellcheck shell=bash disable=SC2317,SC2154,SC2016
# Hosts that lack something, users that are not root, terminals, and a real agent.

# without COMMAND… -- COMMAND…: those programs are hidden meanwhile.
without() {
	local hidden=() status=0 program
	while [[ $1 != -- ]]; do hidden+=("$(command -v "$1")") && shift; done
	for program in "${hidden[@]}"; do mv "$program" "$program.hidden"; done
	hash -r
	"${@:2}" || status=$?
	for program in "${hidden[@]}"; do mv "$program.hidden" "$program"; done
	return "$status"
}

# pretends NAME TEXT COMMAND…: a program of that name says that.
pretends() {
	mkdir -p /root/bin
	printf '#!/bin/sh\n%s\n' "$2" >"/root/bin/$1"
	chmod +x "/root/bin/$1"
	local status=0
	PATH=/root/bin:$PATH "${@:3}" || status=$?
	rm "/root/bin/$1"
	return "$status"
}

full() {
	local status=0
	mkdir -p /opt
	mount -t tmpfs -o size=2m none /opt
	"$@" || status=$?
	umount /opt
	return "$status"
}

as() { su "$1" -c "MIRROR=$MIRROR ${*:2}" </dev/null; }
steps_on_a_terminal() { script -qec "bash $script" /root/typescript >/dev/null && grep -q $'\e\\[1m.*s  installing' /root/typescript; }
hint() {
	local told=no works=no
	! grep -q 'could run agents with eBPF' /var/log/ebpfless-install.log || told=yes
	[[ ! -e /sys/kernel/btf/vmlinux ]] || works=yes
	[[ $told == "$works" ]] || { echo "told: $told, works: $works" && return 1; }
}
quiet_otherwise() { [[ $(bash "$script" | grep -vc '^    cwsctl') == 1 ]]; }
announced() {
	su asked -c "TERM=dumb script -qec 'MIRROR=$MIRROR timeout --foreground 3 bash /tmp/install.sh' /tmp/asked.typescript" </dev/null >/dev/null
	[[ $(grep -oe 'with sudo this will' -e 'password for asked' /tmp/asked.typescript | tr '\n' ' ') == 'with sudo this will password for asked '* ]]
}
no_network() {
	strace -f -qq -e trace=connect,sendto -o /root/calls bash "$script" --from /srv/repo >/dev/null || return 1
	! grep -E 'AF_INET' /root/calls | grep -v 'inet_addr("127.0.0.1")' # the probe is asked there
}
real_agent() {
	local root=/root/agent
	mkdir -p $root/DEBIAN $root/opt/datadog-agent/embedded/bin $root/etc/datadog-agent
	printf 'Package: datadog-agent\nVersion: 1:7.50.0-1\nArchitecture: all\nMaintainer: test <test@localhost>\nDescription: test\n' >$root/DEBIAN/control
	tar -xzf /srv/repo/tar/*amd64.tar.gz -C $root ./opt/datadog-agent/embedded/bin/cws-instrumentation
	echo '# theirs' >$root/etc/datadog-agent/system-probe.yaml
	dpkg-deb --build $root /root/agent.deb && dpkg -i /root/agent.deb
}

odd_hosts() {
	local shell
	note
	for shell in dash 'busybox sh'; do
		# shellcheck disable=SC2086
		check "$shell is told to be none" refused 'this is for bash' $shell "$script"
	done
	server /srv/repo
	check "neither curl nor wget" without curl wget -- tells 'neither curl nor wget' piped
	check "and changes nothing" unchanged
	check "wget alone" without curl -- piped
	check "purge" bash "$script" --purge
	check "nothing is left behind" unchanged
	check "a processor without programs" pretends uname 'case $1 in -m) echo mips;; *) echo 6.1;; esac' refused 'not for mips' piped
	check "a kernel that is too old" pretends uname 'case $1 in -m) echo x86_64;; *) echo 2.6.32-754.el6;; esac' refused '3.4 or later' piped
	check "a full disk" full tells 'could not install' piped
	check "and changes nothing" unchanged
	server /srv/repo tls
	export MIRROR=https://localhost:8443
	check "an authority that isn't known" refused 'TLS' piped
	check "that doesn't help wget, either" without curl -- tells 'TLS' piped
	update-ca-certificates >/dev/null 2>&1
	note
	check "one that is known" piped
	check "purge" bash "$script" --purge
	check "nothing is left behind" unchanged
	export MIRROR=http://127.0.0.1:8000
	server /srv/repo
	check "by sudo, from a file" as admin bash /tmp/install.sh
	check "the probe runs" soon running
	check "purge by sudo, piped" as admin 'bash -s -- --purge </tmp/install.sh'
	check "by sudo, as an argument" as admin 'bash -c "$(cat /tmp/install.sh)"'
	check "the probe runs" soon running
	check "on a terminal it shows steps" steps_on_a_terminal
	check "elsewhere it is quiet" quiet_otherwise
	check "a hint where eBPF would work, and only there" hint
	check "purge" bash "$script" --purge
	check "nothing is left behind" unchanged
	check "without a terminal sudo asks nothing" refused_by_sudo
	check "on one it says first what it will do" announced
	check "from a folder no network is touched" no_network
	check "purge" bash "$script" --purge
	check "SELinux without its package is told" pretends selinuxenabled 'exit 0' selinux
	check "purge" bash "$script" --purge
	check "DD_INSTALL_ONLY starts nothing" env DD_INSTALL_ONLY=true bash "$script"
	check "indeed" not probe
	check "purge" bash "$script" --purge
	check "nothing is left behind" unchanged
	half_wrapped
	archive
	check "a real agent" real_agent
	note
	check "is left as it is" piped
	check "only cws-services came" bash -c '! dpkg -s cws-probe && dpkg -s cws-services'
	check "its configuration is its own" grep -qx '# theirs' "$installed"
	check "its tracer is driven" wraps_by_their_tracer
	check "purge" bash "$script" --purge
	check "the agent is as it was" unchanged
	dpkg --purge datadog-agent >/dev/null
}

refused_by_sudo() { timeout 20 su asked -c "MIRROR=$MIRROR setsid bash /tmp/install.sh" </dev/null >/root/said 2>&1; [[ $? == 1 ]] && grep -q 'password' /root/said && unchanged; }
selinux() { bash "$script" && { dpkg -s cws-selinux >/dev/null 2>&1 || grep -q 'has no cws-selinux' /var/log/ebpfless-install.log; }; }
wraps_by_their_tracer() {
	printf '[Service]\nExecStart=/bin/sleep 100000\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/toy.service
	systemctl daemon-reload && systemctl start toy && bash "$script" --wrap toy || return 1
	soon toy_is wrapped || return 1
	cwsctl unwrap toy && systemctl stop toy && rm /etc/systemd/system/toy.service && systemctl daemon-reload
}

# half_wrapped: of two services one can be wrapped.
half_wrapped() {
	local units=/etc/systemd/system
	printf '[Service]\nExecStart=/bin/sleep 100000\n' >"$units/toy-static.service"
	{ cat "$units/toy-static.service" && printf '[Install]\nWantedBy=multi-user.target\n'; } >"$units/toy.service"
	systemctl daemon-reload
	systemctl start toy
	note
	check "a service that is not to be wrapped, after one that was" refused 'could not wrap toy-static: it is static.* - cwsctl wrap --force' bash "$script" --wrap toy toy-static
	check "and that is plain again" toy_is plain
	check "it runs" systemctl is-active toy
	systemctl stop toy
	rm "$units"/toy{,-static}.service
	systemctl daemon-reload
	note
}

# archive: where no package manager is known.
archive() {
	server /srv/package
	check "an archive that was changed" without apt-get -- tells 'is not what SHA256SUMS says' piped
	server /srv/repo half
	check "an archive that stops half-way" without apt-get -- tells 'the download failed' piped
	server /srv/repo
	check "an archive on a full disk" without apt-get -- full tells "can't be written" piped
	check "and changes nothing" unchanged
	check "an archive" without apt-get -- piped
	check "the probe runs" soon running
	check "a wrapped program is detected" hostile unpacked
	archive_upgrade
	check "again" without apt-get -- piped
	check "uninstall" without apt-get -- bash "$script" --uninstall
	check "the probe is gone" not probe
	check "an archive, over the configuration that stayed" without apt-get -- piped
	check "purge" without apt-get -- bash "$script" --purge
	check "nothing is left behind" unchanged
}

# archive_upgrade: what fails half-way leaves the release that was there, and its probe at work.
archive_upgrade() {
	local unit=/run/systemd/system/datadog-agent-sysprobe.service.d
	cp /root/before /root/plain
	note
	server /srv/newer
	chattr +i /usr/bin/cwsctl
	check "an archive's upgrade that fails half-way" without apt-get -- tells "/usr/bin/cwsctl can't be written" piped
	chattr -i /usr/bin/cwsctl
	check "it had replaced a program" grep -q '^+ mv -f /opt/datadog-agent/embedded/bin/system-probe.new' /var/log/ebpfless-install.log
	check "and changes nothing" unchanged
	mkdir -p "$unit"
	printf '[Service]\nExecStartPre=+/bin/sh -c "! rm /root/fail"\n' >"$unit/test.conf"
	touch /root/fail
	check "an archive's upgrade whose probe doesn't start" without apt-get -- tells 'the probe did not start' piped
	check "it was asked to" not test -e /root/fail
	rm -r "$unit"
	systemctl daemon-reload
	check "and changes nothing" unchanged
	check "the former probe runs again" soon runs_as 1.0.0
	check "an archive's upgrade" without apt-get -- piped
	check "the new probe runs" soon runs_as 1.1.0
	check "the old one is gone" not compgen -G '/opt/datadog-agent/embedded/bin/*.old'
	cp /root/plain /root/before
}
runs_as() { running && version "$1" && cmp "/proc/$(probe)/exe" /opt/datadog-agent/embedded/bin/system-probe; }

# interrupted: killed with all that it started, wherever it was, and run again.
interrupted() {
	local tenths pid
	note
	for tenths in 2 5 8 12 16 20 25 30 40; do
		setsid bash "$script" >/dev/null 2>&1 &
		pid=$!
		sleep "$((tenths / 10)).$((tenths % 10))"
		kill -KILL -- "-$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	check "after nine times killed it finishes" piped
	check "the probe runs" soon running
	check "a wrapped program is detected" hostile finished
	check "purge" bash "$script" --purge
	check "nothing is left behind" unchanged
	for tenths in 1 3; do
		setsid bash "$script" >/root/said 2>&1 &
		pid=$!
		sleep 0."$tenths"
		kill -TERM "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		check "asked to end after 0.$tenths s it says so" grep -q 'interrupted: run it again' /root/said
		check "and the host is as before" unchanged
	done
}
