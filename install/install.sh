#!/bin/bash
# Installs ebpfless: tracer, probe and services, from a signed repository, and switches the eBPF-less mode on.
#
#     curl -fsSL https://HOST/install.sh | bash
#     bash install.sh [--wrap NAME...] [--from DIR] [--no-ebpfless] [--dry-run] | --uninstall [--purge]
#
# MIRROR=URL names the repository, VERSION=1.2.3 one version. DD_API_KEY, DD_SITE, DD_URL, DD_HOSTNAME, DD_TAGS, DD_ENV and what
# DD_RUNTIME_SECURITY_CONFIG_... says go into the configuration; DD_INSTALL_ONLY=true starts nothing. What is downloaded in part
# does nothing: all is in functions, and every cut of the last line is an error or does nothing.

case ${BASH_VERSION:-} in
'' | [0-3].* | 4.0.*)
	echo "install.sh: this is for bash 4.1 or later, and that is another shell: put 'bash' in the place of 'sh'" >&2
	exit 1
	;;
esac
set -Eeuo pipefail

names() {
	config=/etc/datadog-agent/system-probe.yaml
	policy=/etc/datadog-agent/runtime-security.d/default.policy
	foreign=$config.before-ebpfless # what was there before this came, for the way back
	keyring=/etc/apt/keyrings/ebpfless.gpg
	old_keyring=/etc/apt/trusted.gpg.d/ebpfless.gpg
	list=/etc/apt/sources.list.d/ebpfless.list
	yum_repo=/etc/yum.repos.d/ebpfless.repo
	rpm_key=/etc/pki/rpm-gpg/RPM-GPG-KEY-ebpfless
	log=/var/log/ebpfless-install.log
	record=/var/lib/ebpfless-installed # what was unpacked where there is no package manager
	unit=datadog-agent-sysprobe
	all=(cws-services cws-selinux cws-probe cws-instrumentation)
	# This repository's index is read, and those of others are left.
	apt_only=(apt-get -y -o "Dir::Etc::sourcelist=$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any)
	apt_quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=120)
	only_ours=("--disablerepo=*" --enablerepo=ebpfless --setopt=ebpfless.skip_if_unavailable=0)
	touched=("$list" "$keyring" "$old_keyring" "$yum_repo" "$rpm_key" "$config" "$config.bak" "$config.dpkg-dist" "$policy" "$foreign" "$record"
		"$config.dpkg-new" "$policy.dpkg-new" "/etc/init.d/$unit.dpkg-new")
}

# say a step: into the log, and to whoever watches a terminal.
say() {
	local text
	printf -v text '%3ds  %s' "$SECONDS" "$*"
	[[ -z $work ]] || echo "$text" >>"$log"
	if [[ -n $dry ]]; then echo "# $*"; elif [[ -t 1 && -n ${NO_COLOR:-} ]]; then echo "$text"; elif [[ -t 1 ]]; then printf '\e[1m%s\e[0m\n' "$text"; fi
}

# die WHAT FAILED: what to do. It is told when everything is taken back.
die() {
	why=$*
	exit 1
}

# run COMMAND...: its output goes into the log. Secrets are never among the arguments.
run() {
	if [[ -n $dry ]]; then
		printf '+ %s\n' "$*"
		return
	fi
	printf '+ %s\n' "$*" >>"$log"
	"$@" >>"$log" 2>&1 </dev/null
}

# cause is what the log says of an error first.
cause() { tail -c "+$log_from" "$log" | grep -E '^(E:|[Ee]rror|failure:|dpkg: error|curl:|wget:|tar:|cp:|install:)' | head -n 1 | cut -c 1-200 || true; }

detect() {
	local like='' candidates name
	distribution=unknown manager=none init=none
	if [[ -r /etc/os-release ]]; then
		# shellcheck source=/dev/null
		distribution=$(set +eu && . /etc/os-release && echo "${PRETTY_NAME:-$ID $VERSION_ID}")
		# shellcheck source=/dev/null
		like=$(set +eu && . /etc/os-release && echo "$ID $ID_LIKE")
	elif [[ -r /etc/redhat-release ]]; then # CentOS 6
		distribution=$(head -n 1 /etc/redhat-release) like=rhel
	elif [[ -r /etc/debian_version ]]; then
		distribution="Debian $(cat /etc/debian_version)" like=debian
	elif command -v lsb_release >/dev/null; then
		distribution=$(lsb_release -ds) like=$(lsb_release -is)
	fi
	case ${like,,} in
	*debian* | *ubuntu*) candidates=(apt-get) ;;
	*rhel* | *centos* | *fedora* | *amzn*) candidates=(dnf yum) ;;
	*) candidates=(apt-get dnf yum) ;;
	esac
	for name in "${candidates[@]}"; do
		if [[ $manager == none ]] && command -v "$name" >/dev/null; then manager=$name; fi
	done
	if [[ -d /run/systemd/system ]]; then init=systemd; elif [[ $(cat /proc/1/comm) == init ]]; then init=sysvinit; fi
	kernel=$(uname -r)
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) die "there are programs for x86_64 and aarch64, not for $(uname -m): nothing can be installed here" ;;
	esac
	case $kernel in
	[0-2].* | 3.[0-3] | 3.[0-3][.-]*) die "Linux $kernel lacks PTRACE_SEIZE: 3.4 or later is needed" ;;
	esac
}

# become_root hands all functions to a shell of root's: of what was piped in, no file is left to start again.
become_root() {
	local name ask=()
	[[ $EUID != 0 && -z $dry ]] || return 0
	command -v sudo >/dev/null || die "this installs packages: become root first, there is no sudo here"
	{ : </dev/tty; } 2>/dev/null || ask=(-n)
	echo "install.sh: with sudo this will $plan" >&2
	{
		for name in "${!DD_@}" MIRROR VERSION NO_COLOR; do
			[[ -z ${!name+set} ]] || declare -p "$name"
		done
		declare -f
		# shellcheck disable=SC2016 # for the other shell
		echo 'set -Eeuo pipefail; arguments=("$@") && main'
	} | sudo ${ask[@]+"${ask[@]}"} bash -s -- ${arguments[@]+"${arguments[@]}"} || {
		trap - EXIT
		exit 1
	}
	trap - EXIT
	exit 0
}

# fetch NAME FILE: a file of the repository.
fetch() {
	local url=$mirror/$1 status=0
	[[ -z $dry ]] || { echo "+ download $url" && return; }
	case $mirror in
	/*)
		run cp "$url" "$2" || die "$url can't be read: --from wants a folder that 'make repo' made"
		return
		;;
	esac
	if command -v curl >/dev/null; then
		run curl -fsSL --retry 2 --connect-timeout 20 -o "$2" "$url" || status=curl$?
	elif command -v wget >/dev/null; then
		run wget -q -T 20 -O "$2" "$url" || status=wget$?
	else
		die "neither curl nor wget is here to download $url: install one of them, or use --from DIR"
	fi
	case $status in
	0) ;;
	curl35 | curl51 | curl5[89] | curl60 | curl77 | wget5)
		die "$url: this host's TLS and that of the server don't agree ($(cause)): bring ca-certificates, openssl and the clock up to date, or use --from DIR"
		;;
	curl22 | wget8) die "$url: the server has no such file: does MIRROR name the repository?" ;;
	curl23 | wget3) die "$url: it can't be written to $2: is the disk full?" ;;
	*) die "$url: the download failed ($(cause)): does this host reach it? --from DIR needs no network" ;;
	esac
}

# original tells whether the real agent is here: then only our services go beside it, and its own tracer is used.
original() { [[ -n $(version_of datadog-agent) ]]; }

# version_of PACKAGE: nothing where it isn't installed, or only in part.
version_of() {
	case $manager in
	apt-get) dpkg-query -W -f '${Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^.* ok installed //p' ;;
	dnf | yum) rpm -q --qf '%{VERSION}-%{RELEASE}\n' "$1" 2>/dev/null | grep -v 'not installed' | head -n 1 ;;
	esac || true
}

# known PACKAGE: it is installed, or was and left its configuration.
known() {
	case $manager in
	apt-get) dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -qv ' not-installed$' ;;
	dnf | yum) rpm -q "$1" >/dev/null 2>&1 ;;
	none) [[ -e $record ]] ;;
	esac
}

available() {
	case $manager in
	apt-get) apt-get -s -qq install "$1" >/dev/null 2>&1 ;; # with what it depends on
	*) "$manager" -q "${only_ours[@]}" list "$1" >/dev/null 2>&1 ;;
	esac
}

location() { case $mirror in /*) echo "file://$mirror" ;; *) echo "$mirror" ;; esac; }

# folder DIR: made where it is missing, and remembered.
folder() {
	[[ ! -d $1 ]] || return 0
	folder "${1%/*}"
	mkdir "$1" || die "$1 can't be made: is the disk full, or read-only?"
	made=("$1" ${made[@]+"${made[@]}"})
}

# place FILE TARGET: readable for all, because apt reads keys as another user.
place() {
	[[ -z $dry ]] || { echo "+ write $2" && return; }
	if cmp -s "$1" "$2"; then return; fi
	folder "${2%/*}"
	run install -m 644 "$1" "$2" || die "$2 can't be written ($(cause)): is the disk full, or read-only?"
}

# finish_dpkg: apt does nothing before dpkg has done what it was interrupted in. One that outlived its apt holds the lock still.
finish_dpkg() {
	[[ -z $dry && -n $(dpkg --audit 2>/dev/null)$(ls -A /var/lib/dpkg/updates) ]] || return 0
	say "finishing what dpkg was interrupted in"
	for _ in {1..60}; do
		if run dpkg --configure -a || ! tail -n 5 "$log" | grep -q ' lock'; then return; fi
		sleep 2
	done
}

with_apt() {
	local signed="" target=$old_keyring package wanted=() downgrade=()
	fetch ebpfless.gpg "$work/key"
	if dpkg --compare-versions "$(version_of apt)" ge 1.1; then
		signed="[signed-by=$keyring] " target=$keyring downgrade=(--allow-downgrades)
	fi
	if [[ $mirror == https://* && ! -e /usr/lib/apt/methods/https ]]; then die "apt here reads no https:// ($mirror): apt-get install apt-transport-https first"; fi
	place "$work/key" "$target"
	[[ -n $dry ]] || echo "deb $signed$(location)/apt stable main" >"$work/list"
	place "$work/list" "$list"
	finish_dpkg
	say "reading the repository $mirror"
	run "${apt_only[@]}" update || die "apt can't use $mirror/apt ($(cause)): is it ours, signed, and reached from here?"
	optional
	for package in "${packages[@]}"; do wanted+=("$package${version_pin:+=$version_pin-1}"); done
	say "installing ${wanted[*]}"
	run "${apt_quiet[@]}" install ${version_pin:+"${downgrade[@]}"} "${wanted[@]}" || die "apt-get could not install ${wanted[*]} ($(cause)): see $log"
}

with_rpm() {
	local package verb wanted=() sources=() verbs=(install update) # install alone leaves an older release that is there
	[[ $mirror != /* ]] || sources=("${only_ours[@]}")
	fetch ebpfless.asc "$work/key"
	place "$work/key" "$rpm_key"
	[[ -n $dry ]] || printf '[ebpfless]\nname=ebpfless\nbaseurl=%s/yum\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://%s\n' "$(location)" "$rpm_key" >"$work/repo"
	place "$work/repo" "$yum_repo"
	say "reading the repository $mirror"
	# What was read an hour ago may lack a release, and dnf keeps it for two days.
	run "$manager" -y "${only_ours[@]}" clean metadata || true
	run "$manager" -y "${only_ours[@]}" makecache || die "$manager can't use $mirror/yum ($(cause)): is it ours, signed, and reached from here?"
	optional
	for package in "${packages[@]}"; do wanted+=("$package${version_pin:+-$version_pin}"); done
	say "installing ${wanted[*]}"
	[[ -z $version_pin ]] || verbs=(install downgrade)
	for verb in "${verbs[@]}"; do
		# yum 3 leaves a newer release where it is by install, and calls that a success.
		if [[ $verb == downgrade ]] && { [[ -n $dry ]] || pinned; }; then continue; fi
		run "$manager" -y ${sources[@]+"${sources[@]}"} "$verb" "${wanted[@]}" ||
			die "$manager could not install ${wanted[*]} ($(cause)): see $log"
	done
}

pinned() {
	local package
	for package in "${packages[@]}"; do [[ $(version_of "$package") == "$version_pin"-* ]] || return 1; done
}

# optional adds the policy where SELinux is on.
optional() {
	if ! command -v selinuxenabled >/dev/null || ! selinuxenabled; then return 0; fi
	if [[ -n $dry ]] || available cws-selinux; then packages+=(cws-selinux); else say "SELinux is on, and the repository has no cws-selinux that fits here: cwsctl doctor tells what is denied"; fi
}

# replace NEW FILE: by a rename, which a running program doesn't mind. The old one stays beside it until the end: the way back
# needs no room on the disk.
replace() {
	run mkdir -p "${2%/*}" && run cp -dp "$1" "$2.new" || return
	rm -f "$2.old"
	if [[ -e $2 ]]; then replaced+=("$2") && run ln "$2" "$2.old" || return; fi
	run mv -f "$2.new" "$2"
}

with_tarball() {
	local name entry path
	fetch tar/SHA256SUMS "$work/SHA256SUMS"
	[[ -z $dry ]] || { echo "+ unpack the archive for $arch over /" && return; }
	name=$(awk -v end="-linux-$arch.tar.gz" -v pin="${version_pin:+ebpfless-$version_pin-linux}" 'index($2, end) && index($2, pin) { print $2 }' "$work/SHA256SUMS" | sort -V | tail -n 1)
	[[ -n $name ]] || die "$mirror/tar has no archive for $arch ${version_pin:-}: does MIRROR name the repository, VERSION a release?"
	fetch "tar/$name" "$work/$name"
	(cd "$work" && grep " $name\$" SHA256SUMS | sha256sum -c - >/dev/null 2>&1) || die "$name is not what SHA256SUMS says: the download is broken, or somebody changed it"
	say "unpacking $name"
	mkdir "$work/root"
	run tar -xzf "$work/$name" -C "$work/root" || die "$name can't be unpacked into $work ($(cause)): is the disk full?"
	# Noted beforehand: what is interrupted here can be taken back.
	(cd "$work/root" && find . -mindepth 1) | while read -r entry; do
		path=/${entry#./}
		[[ -e $path || -L $path ]] || echo "$path"
	done >"$work/new"
	{ [[ ! -e $record ]] || cat "$record"; } | sort -u - "$work/new" >"$work/record"
	place "$work/record" "$record"
	while read -r entry; do
		path=/${entry#./}
		if [[ $path == /etc/* && -e $path ]] || cmp -s "$work/root$path" "$path"; then
			rm -f "$path".{old,new} # left by a run that was killed
			continue
		fi
		unpacked=yes
		replace "$work/root$path" "$path" && continue
		rm -f "$path.new"
		die "$path can't be written ($(cause)): is the disk full, or read-only?"
	done < <(cd "$work/root" && find . ! -type d | sort)
	[[ -d /var/log/datadog ]] || mkdir -m 750 /var/log/datadog
	case $init in
	systemd)
		run systemctl daemon-reload
		run systemctl enable "$unit" || die "systemctl could not enable $unit: see $log"
		;;
	sysvinit) if command -v update-rc.d >/dev/null; then run update-rc.d "$unit" defaults; elif command -v chkconfig >/dev/null; then run chkconfig --add "$unit"; fi ;;
	esac
}

# configure says in one write what the environment says.
configure() {
	DD_RUNTIME_SECURITY_CONFIG_ENABLED=${DD_RUNTIME_SECURITY_CONFIG_ENABLED:-true}
	DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED:-true}
	[[ -z ${DD_TAGS:-} ]] || DD_TAGS=${DD_TAGS//,/ }
	say "switching it on in $config"
	[[ -z $dry ]] || { echo "+ system-probe config set --environment" && return; }
	if [[ -n $was_foreign && ! -e $foreign ]]; then cp -a "$work/before$config" "$foreign"; fi
	# shellcheck disable=SC2163 # the names that the variable holds
	changed=$(for name in "${!DD_@}"; do export "$name"; done && /opt/datadog-agent/embedded/bin/system-probe config set --config "$config" --environment 2>"$work/error") ||
		die "$(tail -n 1 "$work/error" | sed 's/^system-probe: //')"
	cat "$work/error" >>"$log"
	echo "$changed" >>"$log"
}

service_is() {
	case $init in
	systemd) run systemctl "$1" "$unit" ;;
	sysvinit) run env -i PATH="$PATH" "/etc/init.d/$unit" "$1" ;;
	none) [[ $1 == stop ]] || say "no init runs here: nothing was started (system-probe run)" ;;
	esac
}

# start brings what runs in line with the configuration, and leaves alone what is so already.
start() {
	if [[ ${DD_INSTALL_ONLY:-} == [Tt]rue || ${DD_RUNTIME_SECURITY_CONFIG_ENABLED,,} != true || ${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED,,} != true ]]; then
		service_is stop || true
		return
	fi
	if [[ -z $dry && -z $changed$unpacked ]] && system-probe status >/dev/null 2>&1; then return; fi
	restarted=yes
	service_is restart || die "the probe did not start: $([[ $init == systemd ]] && echo "journalctl -u $unit" || echo /var/log/datadog/system-probe.log) says why"
	[[ -z $dry && $init != none ]] || return 0
	for _ in {1..50}; do
		if system-probe status >/dev/null 2>&1; then return; fi
		sleep 0.2
	done
	die "the probe was started and serves no tracer after 10 s: system-probe status says why"
}

# verify asks as the guide does.
verify() {
	[[ -z $dry ]] || return 0
	[[ $(system-probe config | grep -A 1 ebpfless) == *"enabled: ${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED,,}"* ]] ||
		die "system-probe config does not say what was written to $config: a variable of its environment may win"
}

install_all() {
	local name
	say "$distribution ($arch), $init, Linux $kernel"
	[[ ! -e $config || -w $config ]] || original || die "$config can't be written: is it immutable, or its file system read-only? Nothing was begun"
	case $manager in
	apt-get) with_apt ;;
	dnf | yum) with_rpm ;;
	none) with_tarball ;;
	esac
	if ! original; then
		configure
		start
		verify
	fi
	for name in ${wrap[@]+"${wrap[@]}"}; do
		say "wrapping $name"
		run cwsctl wrap -- "$name" || die "could not wrap $(tail -n 3 "$log" | sed -n 's/^cwsctl: //p; s/^hint: /- /p' | paste -s -d ' ')"
	done
	[[ -z $dry ]] || return 0
	case $kernel in
	3.* | 4.[0-9][.-]* | 4.1[0-4][.-]*) ;;
	*) [[ ! -e /sys/kernel/btf/vmlinux ]] || say "by the way: this kernel could run agents with eBPF, too" ;;
	esac
	if original; then
		echo "cws-services is installed beside the Datadog agent and drives its tracer; runtime_security_config.ebpfless.enabled is yours to set."
	else
		echo "ebpfless is installed${version_pin:+ ($version_pin)}: eBPF-less mode ${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED,,} in $config${wrap[0]:+, wrapped: ${wrap[*]}}. To go on:"
	fi
	echo "    cwsctl wrap NAME       # protect a service; cwsctl unwrap NAME takes it back"
	echo "    cwsctl events -f       # see what is detected"
	echo "    cwsctl doctor          # what works on this host"
}

remove_packages() {
	case $manager in
	apt-get) if [[ $1 == purge ]]; then run dpkg --purge --force-remove-reinstreq "${@:2}"; else run dpkg --remove "${@:2}"; fi ;;
	dnf | yum) run rpm -e "${@:2}" ;; # dnf would take what it thinks nobody needs any more, too
	esac
}

# take_away LIST: files and folders of before stay, because they aren't in it.
take_away() {
	local path
	sort -r "$1" | while read -r path; do
		[[ $path != /etc/datadog-agent* || -n $purge ]] || continue
		if [[ -d $path && ! -L $path ]]; then run rmdir "$path" || true; else run rm -f "$path" "$path".{old,new}; fi
	done
}

remove_unpacked() {
	case $init in
	systemd) run systemctl disable --now "$unit" || true ;;
	sysvinit)
		run "/etc/init.d/$unit" stop || true
		if command -v chkconfig >/dev/null; then run chkconfig --del "$unit" || true; fi
		;;
	esac
	take_away "$record"
	# systemctl made links in runlevels, too, because there was a script.
	if command -v update-rc.d >/dev/null; then run update-rc.d -f "$unit" remove || true; fi
	if [[ -n $purge ]]; then
		run rm -f "$record" /var/log/datadog/runtime-security.json* /var/log/datadog/system-probe.log
		run rmdir /var/log/datadog || true
	fi
	if [[ $init == systemd ]]; then run systemctl daemon-reload; fi
}

# forget_repository leaves nothing of it with the package manager.
forget_repository() {
	local url key
	url=$(sed -n 's|^deb .*[a-z]*://\([^ ]*\)/apt stable.*|\1|p' "$list" 2>/dev/null | tr / _) || true
	[[ -z $url ]] || run rm -f /var/lib/apt/lists/"${url}"_apt_dists_*
	if [[ -e $rpm_key ]]; then
		for key in $(rpm -q gpg-pubkey 2>/dev/null | grep '^gpg-pubkey-'); do
			if rpm -qi "$key" | grep -qF "$(sed -n '/^$/{n;p;q;}' "$rpm_key")"; then run rpm -e "$key" || true; fi
		done
		run rm -rf /var/cache/dnf/ebpfless* /var/cache/yum/*/*/ebpfless /var/lib/yum/repos/*/*/ebpfless
	fi
	run rm -f "$list" "$keyring" "$old_keyring" "$yum_repo" "$rpm_key"
}

uninstall() {
	local name present=() ours=yes
	if original; then ours=''; fi
	if [[ $manager == none ]]; then
		[[ -e $record ]] || die "nothing of ebpfless was unpacked here: nothing to uninstall"
		for name in $(cwsctl list --names); do run cwsctl unwrap -- "$name" || die "$name could not be unwrapped: cwsctl unwrap $name says why"; done
		remove_unpacked
	else
		for name in "${all[@]}"; do
			if known "$name"; then present+=("$name"); fi
		done
		((${#present[@]} == 0)) || remove_packages "${purge:-remove}" "${present[@]}" || die "${present[*]} could not be removed ($(cause)): see $log"
	fi
	forget_repository
	# Until apt 2.4 it belongs to no package: this had made it.
	if [[ -d ${keyring%/*} ]] && ! dpkg-query -S "${keyring%/*}" >/dev/null 2>&1; then run rmdir --ignore-fail-on-non-empty "${keyring%/*}"; fi
	if [[ -n $purge && -n $ours ]]; then
		run rm -f "$config" "$config".{bak,dpkg-dist,dpkg-new,rpmnew,rpmsave} "$policy".{dpkg-dist,dpkg-new,rpmnew,rpmsave} "/etc/init.d/$unit.dpkg-new"
		[[ ! -e $foreign ]] || run mv "$foreign" "$config"
		[[ -n $dry ]] || rmdir /etc/datadog-agent/runtime-security.d /etc/datadog-agent /var/log/datadog 2>/dev/null || true
	fi
	say "done: nothing is protected any more"
	snapshot_taken=''
	[[ -z $purge ]] || run rm -f "$log"
}

# snapshot remembers what a failure has to bring back.
snapshot() {
	local path name
	if [[ -e $config ]] && ! known cws-probe; then was_foreign=yes; fi
	for path in "${touched[@]}"; do
		if [[ -e $path ]]; then mkdir -p "$work/before${path%/*}" && cp -aL "$path" "$work/before$path"; fi
	done
	for name in "${all[@]}"; do version_of "$name" >"$work/version.$name"; done
	if [[ -e $list || -e $yum_repo || -e $record ]]; then was_ours=yes; fi
	if system-probe status >/dev/null 2>&1; then was_running=yes; fi
	snapshot_taken=yes
}

# repack brings an archive's former release back.
repack() {
	local path
	for path in ${replaced[@]+"${replaced[@]}"}; do mv -f "$path.old" "$path"; done
	[[ ! -e $work/new ]] || purge=purge take_away "$work/new"
	if [[ $init == systemd ]]; then run systemctl daemon-reload; fi
}

undo() {
	local name now was path added=()
	if [[ $manager == none && -n $was_ours ]]; then repack; elif [[ $manager == none && -e $record ]]; then purge=purge && remove_unpacked; fi
	for name in "${all[@]}"; do
		was=$(<"$work/version.$name") now=$(version_of "$name")
		if [[ -z $was ]] && known "$name"; then
			added+=("$name")
		elif [[ $now != "$was" ]]; then
			case $manager in
			apt-get) run "${apt_quiet[@]}" install --allow-downgrades "$name=$was" ;;
			dnf | yum) run "$manager" -y "${only_ours[@]}" downgrade "$name-$was" ;;
			esac || why+=" ($name stays at $now)"
		fi
	done
	((${#added[@]} == 0)) || remove_packages purge "${added[@]}"
	[[ -n $was_ours ]] || forget_repository
	for path in "${touched[@]}"; do
		if [[ ! -e $work/before$path ]]; then
			rm -f "$path"
		elif ! cmp -s "$work/before$path" "$path"; then
			mkdir -p "${path%/*}" && cp -p "$work/before$path" "$path"
		fi
	done
	for path in ${made[@]+"${made[@]}"} /etc/datadog-agent/runtime-security.d /etc/datadog-agent; do rmdir "$path"; done
	if [[ -n $was_running && -n $restarted ]]; then service_is restart; fi
} 2>/dev/null

finish() {
	local status=$?
	trap - EXIT ERR INT TERM HUP
	set +e
	if [[ $status != 0 ]]; then
		if [[ -n $snapshot_taken ]]; then
			undo
			why+=" (what was begun is taken back; log: $log)"
		fi
		echo "install.sh: $why" >&2
		[[ -z $work ]] || echo "$why" >>"$log"
	fi
	rm -f ${replaced[@]+"${replaced[@]/%/.old}"}
	[[ -z $work ]] || rm -rf "$work"
	exit "$status"
}

parse() {
	while (($#)); do
		case $1 in
		--wrap)
			[[ -n ${2:-} && ${2:-} != -* ]] || die "--wrap needs the names of services"
			while [[ -n ${2:-} && ${2:-} != -* ]]; do wrap+=("$2") && shift; done
			;;
		--from) mirror=$(cd "${2:?--from needs a folder}" && pwd) || die "--from: no folder ${2:-}" && shift ;;
		--no-ebpfless) DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=false ;;
		--dry-run) dry=yes ;;
		--uninstall) action=uninstall ;;
		--purge) action=uninstall purge=purge ;;
		*) die "unknown argument $1 (known: --wrap NAME..., --from DIR, --no-ebpfless, --dry-run, --uninstall, --purge)" ;;
		esac
		shift
	done
}

main() {
	PATH=$PATH:/usr/sbin:/sbin
	dry='' purge='' action=install_all work='' why='' snapshot_taken='' changed='' unpacked='' was_foreign='' was_ours='' was_running='' restarted='' log_from=1
	wrap=() made=() replaced=() packages=(cws-instrumentation cws-probe cws-services)
	mirror=${MIRROR:-https://ebpfless.github.io/repo} version_pin=${VERSION:-}
	trap finish EXIT
	# shellcheck disable=SC2154 # Bash sets LINENO and BASH_COMMAND
	trap 'why=${why:-"line $LINENO: $BASH_COMMAND failed: see $log"}' ERR
	trap 'why="interrupted: run it again" && exit 130' INT TERM HUP
	names
	parse ${arguments[@]+"${arguments[@]}"}
	mirror=${mirror%/}
	detect
	if original; then packages=(cws-services); fi
	plan="add the repository $mirror, whose key is trusted for it alone; install ${packages[*]} with ${manager/none/tar}; write $config; start $unit"
	[[ $action == install_all ]] || plan="take ${all[*]} and their repository away, configuration ${purge:-not }included"
	become_root
	# What children inherit, a probe that an init script starts would keep.
	export -n "${!DD_@}" MIRROR VERSION
	umask 022
	if [[ -z $dry ]]; then
		(umask 077 && : >>"$log") 2>/dev/null || die "$log can't be written: is the disk full, or read-only?"
		log_from=$(($(stat -c %s "$log") + 1))
		work=$(mktemp -d) || die "no temporary folder can be made: is the disk full?"
		[[ $action == uninstall ]] || snapshot
	fi
	"$action"
}

arguments=("$@") && main
