#!/bin/bash
# The life of the packages on a Debian host.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source-path=SCRIPTDIR
set -uo pipefail
. "$(dirname "$0")/common.sh"

apt() {
	apt-get -y -qq -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/ebpfless.list -o Dir::Etc::sourceparts=- \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

keyring=/etc/apt/keyrings/ebpfless.gpg
packages=(cws-instrumentation cws-probe cws-services)
at() { apt install --reinstall --allow-downgrades "${packages[@]/%/=$1-1}"; }
version() { [[ $(dpkg-query -W -f '${Version}' cws-probe) == "$1-1" ]]; }

trust() {
	mkdir -p /etc/apt/keyrings
	cp "$1" "$keyring"
	echo "deb [signed-by=$keyring] http://127.0.0.1:8000/apt stable main" >/etc/apt/sources.list.d/ebpfless.list
}

daemon() {
	if [[ -d /run/systemd/system ]]; then
		printf '[Service]\nExecStart=/bin/sleep 100000\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/toy.service
		systemctl daemon-reload && systemctl start toy
	else
		cat >/etc/init.d/toy <<'EOF'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          toy
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: A toy
### END INIT INFO
case $1 in
start) start-stop-daemon --start --background --make-pidfile --pidfile /run/toy.pid --exec /bin/sleep -- 100000 ;;
stop) start-stop-daemon --stop --oknodo --pidfile /run/toy.pid ;;
restart) "$0" stop; "$0" start ;;
status) start-stop-daemon --status --pidfile /run/toy.pid ;;
esac
EOF
		chmod +x /etc/init.d/toy
		update-rc.d toy defaults && service toy start
	fi
}

# disable, enable: what an administrator does.
disable() {
	if [[ -d /run/systemd/system ]]; then systemctl disable --now datadog-agent-sysprobe; else service datadog-agent-sysprobe stop && update-rc.d datadog-agent-sysprobe disable; fi
}
enable() {
	if [[ -d /run/systemd/system ]]; then systemctl enable --now datadog-agent-sysprobe; else update-rc.d datadog-agent-sysprobe enable && service datadog-agent-sysprobe start; fi
}

# code N COMMAND…: it ends with exit code N.
code() {
	local expected=$1
	shift
	"$@"
	[[ $? == "$expected" ]]
}

# init_script: exit codes of the LSB.
init_script() {
	local script=/etc/init.d/datadog-agent-sysprobe
	check "start of what runs succeeds" code 0 $script start
	check "status of what runs" code 0 $script status
	check "reload succeeds" code 0 $script reload
	check "an unknown verb" code 2 $script frobnicate
	check "an ordinary user may not" code 4 setpriv --reuid 65534 --clear-groups $script stop
	kill -KILL "$(probe)"
	check "status of what died" soon code 1 $script status
	check "try-restart of what is down" code 0 $script try-restart
	check "stop of what is down succeeds" code 0 $script stop
	check "status of what is stopped" code 3 $script status
	check "reload of what is stopped" code 7 $script reload
	check "start" code 0 $script start
	check "restart" code 0 $script restart
}

# unit: what systemd promises of the probe.
unit() {
	check "a killed probe is started again" survives KILL
	mkdir -p /run/systemd/system/datadog-agent-sysprobe.service.d
	printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/datadog-agent-sysprobe.service.d/test.conf
	systemctl daemon-reload
	systemctl restart datadog-agent-sysprobe
	check "a probe that hangs is started again" survives STOP
	rm -r /run/systemd/system/datadog-agent-sysprobe.service.d
	systemctl daemon-reload
	systemctl restart datadog-agent-sysprobe
}

undaemon() {
	if [[ -d /run/systemd/system ]]; then
		systemctl stop toy
		rm /etc/systemd/system/toy.service
		systemctl daemon-reload
	else
		service toy stop
		rm /etc/init.d/toy
		update-rc.d toy remove
	fi
}

# unwrapped: nothing is left of what cwsctl put into the init system.
unwrapped() {
	local left
	left=$(find /etc/init.d /etc/rc*.d /lib/lsb/ /etc/systemd /run/systemd/system /run/systemd/generator* -name '*cws*' 2>/dev/null)
	echo "$left"
	[[ -z $left && -z $(pgrep -f 'cws-loop loop|cws-instrumentation guard') ]]
}

interrupt() {
	local i
	for i in 0.05 0.2 0.5; do
		at 1.1.0 >/dev/null 2>&1 &
		sleep "$i"
		pkill -KILL -x apt-get # first, or it starts another dpkg
		pkill -KILL -x dpkg
		wait
		soon not pgrep -x dpkg || return 1
		dpkg --configure -a --force-confold || return 1
		at 1.0.0 || return 1
	done
}

# policy: on a host without SELinux it waits for that, and goes without a trace.
policy() {
	files >/root/before
	check "cws-selinux installs where there is no policy" only_says 'not loaded; once there is a policy: dpkg-reconfigure cws-selinux' \
		dpkg -i "$pool/cws-selinux/cws-selinux_1.1.0-1_all.deb"
	check "purge of it succeeds" only_says '^$' dpkg --purge cws-selinux
	files >/root/after
	check "nothing is left behind" diff /root/before /root/after
}

mkdir -p /etc/apt/keyrings # which apt brings from Debian 12 on
files >/root/before
serve /srv/repo
trust /srv/repo/other.gpg
check "a repository signed with another key is refused" refused 'NO_PUBKEY' apt -o APT::Update::Error-Mode=any update
trust /srv/repo/ebpfless.gpg
check "the repository is accepted" apt -o APT::Update::Error-Mode=any update
check "1.0.0 installs" at 1.0.0
check "the probe runs" soon running
check "the configuration is not for everybody" test "$(stat -c %a /etc/datadog-agent/system-probe.yaml)" = 640
check "the guide's check" bash -c 'system-probe config | grep -A 1 ebpfless | grep -q "enabled: true"'
check "a wrapped program is detected" hostile first
daemon >/dev/null 2>&1
check "a service is wrapped" cwsctl wrap toy
check "it is traced" soon toy_is wrapped
toy=$(pgrep -f '^/bin/sleep 100000')
application
check "a wrapped application is detected" soon answers second
echo '# mine' >>/etc/datadog-agent/system-probe.yaml
old=$(probe)
check "1.1.0 installs" counting at 1.1.0
check "no event is lost meanwhile" soon all_told
check "the tracer is the new one" soon renewed
check "the version is new" version 1.1.0
check "the edited configuration is kept" grep -q '^# mine' /etc/datadog-agent/system-probe.yaml
check "the new default lies beside it" grep -q 'A changed default' /etc/datadog-agent/system-probe.yaml.dpkg-dist
check "the probe is another" test "$old" != "$(probe)"
check "the application runs on and is detected" answers third
check "the service runs on" test "$toy" = "$(pgrep -f '^/bin/sleep 100000')"
check "hashes are taken" grep -q '"rule_id":"counted".*"hashes":."sha1:' "$log"
check "a downgrade works" counting at 1.0.0
check "no event is lost meanwhile" soon all_told
check "the tracer is the old one" soon renewed
check "the version is old" version 1.0.0
check "the probe runs after it" soon running
check "a disabled probe" disable
check "stays disabled and down: upgrade" at 1.1.0
check "stays disabled and down" not probe
check "until it is enabled" enable
check "and then it runs" soon running
if [[ -d /run/systemd/system ]]; then unit; else init_script; fi
check "back to 1.0.0" at 1.0.0
check "an interrupted dpkg goes on" interrupt
check "the probe runs after that" soon running
apt clean
serve /srv/tampered
check "a tampered package is refused" refused 'Hash Sum mismatch|unexpected size' apt install cws-probe=1.1.0-1
check "and nothing changes" version 1.0.0
serve /srv/repo
kill "$application"
rm /etc/datadog-agent/runtime-security.d/test.policy
mkdir -p /etc/cws
echo 'Command=/bin/sleep 200000' >/etc/cws/own.conf
check "a command of one's own is wrapped" cwsctl wrap own
check "the service is wrapped still" toy_is wrapped
check "remove succeeds" apt remove "${packages[@]}"
check "the probe is gone" not probe
check "the service is plain again" soon toy_is plain
check "the command of one's own has ended" soon not pgrep -f '^/bin/sleep 200000'
check "no wrapping is left" unwrapped
undaemon >/dev/null 2>&1
check "the configuration stays" test -e /etc/datadog-agent/system-probe.yaml
check "install again" at 1.1.0
check "the probe runs again" soon running
check "purge succeeds" apt purge "${packages[@]}"
rm -rf "$keyring" /etc/apt/sources.list.d/ebpfless.list
files >/root/after
check "nothing is left behind" diff /root/before /root/after

check "the original installs" dpkg -i /srv/repo/fake/datadog-agent.deb
pool=/srv/repo/apt/pool/main/c
check "our probe conflicts with it" refused 'conflict' dpkg -i "$pool"/cws-probe/cws-probe_1.1.0-1_amd64.deb
check "our tracer conflicts with it" refused 'conflict' dpkg -i "$pool"/cws-instrumentation/cws-instrumentation_1.1.0-1_amd64.deb
dpkg --remove cws-probe cws-instrumentation >/dev/null 2>&1
check "our services install beside it" dpkg -i "$pool"/cws-services/cws-services_1.1.0-1_amd64.deb
daemon >/dev/null 2>&1
check "and put a service behind its tracer" cwsctl wrap toy
check "which traces it" soon toy_is wrapped
cwsctl unwrap toy
undaemon >/dev/null 2>&1
dpkg --purge cws-services datadog-agent >/dev/null 2>&1

# An administrator, or the builder of an image, forbids services to be started.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
check "policy-rc.d: the probe installs" dpkg -i "$pool"/cws-probe/cws-probe_1.1.0-1_amd64.deb
check "policy-rc.d: it is not started" not probe
dpkg --purge cws-probe >/dev/null 2>&1
rm /usr/sbin/policy-rc.d
if command -v semodule >/dev/null; then policy; fi
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
