#!/bin/bash
# Installs ebpfless: tracer, probe and services, from a signed repository, and switches the eBPF-less mode on.
#
#     curl -fsSL https://HOST/install.sh | bash
#     bash install.sh [--wrap NAME]... [--from DIR] [--no-ebpfless] [--dry-run] | --uninstall [--purge]
#
# MIRROR=URL names the repository, VERSION=1.2.3 one version. DD_API_KEY, DD_SITE, DD_HOSTNAME, DD_TAGS, DD_ENV,
# DD_RUNTIME_SECURITY_CONFIG_ENABLED and DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED go into the configuration;
# DD_INSTALL_ONLY=true starts nothing. Nothing runs before the last line: half a download does no harm.

if [ -z "${BASH_VERSION:-}" ] || [ "${BASH_VERSINFO:-0}" -lt 4 ]; then
	echo "install.sh: this needs bash 4.1 or later: run it with bash, not with sh" >&2
	exit 1
fi
set -euo pipefail

config=/etc/datadog-agent/system-probe.yaml
keyring=/etc/apt/keyrings/ebpfless.gpg
old_keyring=/etc/apt/trusted.gpg.d/ebpfless.gpg
list=/etc/apt/sources.list.d/ebpfless.list
yum_repo=/etc/yum.repos.d/ebpfless.repo
rpm_key=/etc/pki/rpm-gpg/RPM-GPG-KEY-ebpfless
log=/var/log/ebpfless-install.log
tarball_files=/var/lib/cws/installed-files

say() {
	local text
	text=$(printf '%4ss  %s' "$SECONDS" "$*")
	if [[ -t 1 && -z ${NO_COLOR:-} ]]; then printf '\e[1m%s\e[0m\n' "$text"; else echo "$text"; fi
	[[ -n $dry ]] || echo "$text" >>"$log" 2>/dev/null || true
}

die() {
	echo "install.sh: $*" >&2
	exit 1
}

# run COMMAND…: as root, its output in the log. Values that are secret are given by the environment, never here.
run() {
	if [[ -n $dry ]]; then
		printf '+ %s\n' "$*"
		return
	fi
	"$@" >>"$log" 2>&1 </dev/null
}

need_root() {
	[[ $EUID == 0 || -n $dry ]] && return
	command -v sudo >/dev/null || die "this installs packages and needs root; there is no sudo here: become root first"
	[[ -f $0 && -r $0 ]] || die "this installs packages and needs root: pipe it into 'sudo -E bash' instead"
	echo "install.sh: installing packages needs root; sudo runs this script again as root" >&2
	exec sudo -E bash "$0" "${arguments[@]}"
}

# fetch NAME FILE: a file of the repository.
fetch() {
	local url=$mirror/$1
	case $mirror in
	/*) cp "$url" "$2" ;;
	*)
		if command -v curl >/dev/null; then
			curl -fsSL --retry 2 --connect-timeout 20 -o "$2" "$url"
		elif command -v wget >/dev/null; then
			wget -q -T 20 -t 3 -O "$2" "$url"
		else
			die "neither curl nor wget is here to fetch $url with"
		fi || die "can't fetch $url: is the address right, does this host reach it, and does its TLS still know today's certificates?"
		;;
	esac
}

package_manager() {
	local name
	for name in apt-get dnf yum; do
		if command -v "$name" >/dev/null; then
			echo "$name"
			return
		fi
	done
	echo none
}

# original tells whether the real agent is here: then only our services go beside it, and its own tracer is used.
original() { dpkg-query -W -f '${Status}' datadog-agent 2>/dev/null | grep -q 'ok installed' || rpm -q datadog-agent >/dev/null 2>&1; }

location() { case $mirror in /*) echo "file://$mirror" ;; *) echo "$mirror" ;; esac; }

apt_only() { apt-get -y -o Dir::Etc::sourcelist="$list" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 "$@"; }

apt_quiet() {
	DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
		-o DPkg::Lock::Timeout=120 "$@"
}

# restore takes back what was added when something fails.
restore() {
	local status=$? file
	[[ $status != 0 && -n ${work:-} ]] || return 0
	for file in "${added[@]:-}"; do
		[[ -z $file ]] || rm -f "$file"
	done
	[[ -z $work ]] || rm -rf "$work"
	echo "install.sh: it failed; what was added to the package manager's sources is taken back. The log is $log" >&2
	tail -n 3 "$log" >&2 2>/dev/null || true
}

# place FILE TARGET: new files are remembered, so that a failure takes them back.
place() {
	if [[ -n $dry ]]; then
		echo "+ write $2"
		return
	fi
	cmp -s "$1" "$2" && return
	[[ -e $2 ]] || added+=("$2")
	mkdir -p "$(dirname "$2")"
	install -m 644 "$1" "$2"
}

with_apt() {
	local signed="" version package wanted=()
	[[ -n $dry ]] || fetch ebpfless.gpg "$work/key"
	version=$(dpkg-query -W -f '${Version}' apt 2>/dev/null || echo 0)
	if dpkg --compare-versions "$version" ge 1.1; then
		signed="[signed-by=$keyring] "
		place "$work/key" "$keyring"
	else
		place "$work/key" "$old_keyring"
	fi
	echo "deb $signed$(location)/apt stable main" >"$work/list"
	place "$work/list" "$list"
	say "reading the repository $mirror"
	run apt_only -o APT::Update::Error-Mode=any update || die "apt can't use $mirror/apt (its signature, or the network): see $log"
	for package in "${packages[@]}"; do wanted+=("$package${version_pin:+=$version_pin-1}"); done
	say "installing ${wanted[*]}"
	run apt_quiet install --allow-downgrades "${wanted[@]}" || die "apt-get could not install ${wanted[*]}: see $log"
}

with_rpm() {
	local package wanted=()
	[[ -n $dry ]] || fetch ebpfless.asc "$work/key"
	place "$work/key" "$rpm_key"
	printf '[ebpfless]\nname=ebpfless\nbaseurl=%s/yum\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=1\ngpgkey=file://%s\n' "$(location)" "$rpm_key" >"$work/repo"
	place "$work/repo" "$yum_repo"
	for package in "${packages[@]}"; do wanted+=("$package${version_pin:+-$version_pin}"); done
	say "installing ${wanted[*]}"
	run "$manager" -y install "${wanted[@]}" || die "$manager could not install ${wanted[*]}: see $log"
}

with_tarball() {
	local arch name
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) die "there are programs for x86_64 and aarch64, not for $(uname -m)" ;;
	esac
	if [[ -n $dry ]]; then
		echo "+ unpack the archive for $arch over /"
		return
	fi
	fetch tar/SHA256SUMS "$work/SHA256SUMS"
	name=$(awk -v end="-linux-$arch.tar.gz" -v pin="${version_pin:+ebpfless-$version_pin}" 'index($2, end) && index($2, pin) { print $2 }' "$work/SHA256SUMS" | tail -n 1)
	[[ -n $name ]] || die "$mirror/tar has no archive for $arch ${version_pin:-}"
	say "unpacking $name"
	fetch "tar/$name" "$work/$name"
	(cd "$work" && grep " $name\$" SHA256SUMS | sha256sum -c --quiet -) || die "$name is not what SHA256SUMS says: the download is broken, or somebody changed it"
	mkdir -p "$(dirname "$tarball_files")"
	tar -tzf "$work/$name" | grep -v '/$' >"$work/files"
	tar -xzf "$work/$name" -C / --skip-old-files --no-overwrite-dir ./etc
	tar -xzf "$work/$name" -C / --no-overwrite-dir --exclude ./etc
	cp "$work/files" "$tarball_files"
}

# set_key KEY VALUE: in the configuration, all else in it stays.
set_key() {
	if [[ -n $dry ]]; then
		echo "+ system-probe config set $1 …"
		return
	fi
	# The value is not an argument: ps would show a key to everybody.
	printf '%s\n' "$2" | /opt/datadog-agent/embedded/bin/system-probe config set --config "$config" "$1" - >>"$log" 2>"$work/error" || die "$(tail -n 1 "$work/error")"
}

configure() {
	say "switching it on in $config"
	set_key runtime_security_config.enabled "${DD_RUNTIME_SECURITY_CONFIG_ENABLED:-true}"
	set_key runtime_security_config.ebpfless.enabled "${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED:-$ebpfless}"
	local row
	for row in "api_key DD_API_KEY" "site DD_SITE" "hostname DD_HOSTNAME" "env DD_ENV" "tags DD_TAGS"; do
		local name=${row#* }
		local value=${!name:-}
		[[ -z $value ]] || set_key "${row% *}" "${value//,/ }"
	done
}

start() {
	[[ ${DD_INSTALL_ONLY:-false} != true ]] || return 0
	if [[ ${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED:-$ebpfless} != true ]]; then
		# The probe would refuse to run.
		if [[ -d /run/systemd/system ]]; then run systemctl stop datadog-agent-sysprobe; else run /etc/init.d/datadog-agent-sysprobe stop; fi
		return
	fi
	if [[ -d /run/systemd/system ]]; then
		run systemctl restart datadog-agent-sysprobe || die "the probe did not start: journalctl -u datadog-agent-sysprobe says why"
	elif [[ $(cat /proc/1/comm) == init && -x /etc/init.d/datadog-agent-sysprobe ]]; then
		run /etc/init.d/datadog-agent-sysprobe restart || die "the probe did not start: /var/log/datadog/system-probe.log says why"
	else
		say "no init runs here: nothing was started (system-probe run)"
	fi
}

verify() {
	[[ -z $dry ]] || return 0
	system-probe config --config "$config" | grep -A 1 ebpfless | grep -q "enabled: ${DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED:-$ebpfless}" ||
		die "$config does not say what it was told for ebpfless: enabled"
}

install_all() {
	local kernel name
	if original; then
		packages=(cws-services)
		say "the Datadog agent is here: only cws-services goes beside it, and drives its tracer"
	else
		packages=(cws-instrumentation cws-probe cws-services)
	fi
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
	for name in "${wrap[@]:-}"; do
		[[ -z $name ]] || { say "wrapping $name" && run cwsctl wrap -- "$name"; } || die "$name could not be wrapped: cwsctl wrap $name says why"
	done
	kernel=$(uname -r)
	case $kernel in
	[0-3].* | 4.[0-9].* | 4.1[0-4].*) ;;
	*) [[ ! -e /sys/kernel/btf/vmlinux ]] || say "by the way: this kernel ($kernel) could run eBPF agents, too" ;;
	esac
	say "done. To go on:"
	echo "    cwsctl wrap NAME       # protect a service; cwsctl unwrap NAME takes it back"
	echo "    cwsctl events -f       # see what is detected"
	echo "    cwsctl doctor          # what works on this host"
}

uninstall() {
	local all=(cws-services cws-probe cws-instrumentation) verb=remove present=() name
	[[ -z $purge ]] || verb=purge
	case $manager in
	apt-get)
		for name in "${all[@]}"; do
			if dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null | grep -q -e installed -e config-files; then present+=("$name"); fi
		done
		((${#present[@]} == 0)) || run apt_quiet "$verb" "${present[@]}" || die "apt-get could not $verb ${present[*]}: see $log"
		;;
	dnf | yum)
		for name in "${all[@]}"; do
			if rpm -q "$name" >/dev/null 2>&1; then present+=("$name"); fi
		done
		((${#present[@]} == 0)) || run "$manager" -y remove "${present[@]}" || die "$manager could not remove ${present[*]}: see $log"
		;;
	none)
		[[ -e $tarball_files ]] || die "nothing of ebpfless was unpacked here"
		for name in $(cwsctl list --names); do run cwsctl unwrap -- "$name"; done
		if [[ -d /run/systemd/system ]]; then run systemctl disable --now datadog-agent-sysprobe || true; fi
		while read -r name; do
			[[ $name == ./etc/* && -z $purge ]] || run rm -f "/${name#./}"
		done <"$tarball_files"
		run rm -f "$tarball_files"
		;;
	esac
	run rm -f "$list" "$keyring" "$old_keyring" "$yum_repo" "$rpm_key"
	if [[ -n $purge ]]; then
		run rm -f "$config" "$config.bak" "$config.dpkg-dist" "$config.rpmnew" "$config.rpmsave"
		[[ -n $dry ]] || rmdir /etc/datadog-agent/runtime-security.d /etc/datadog-agent /var/log/datadog 2>/dev/null || true
	fi
	say "done: nothing is protected any more"
	[[ -z $purge ]] || run rm -f "$log"
}

main() {
	dry='' purge='' ebpfless=true action=install_all
	mirror=${MIRROR:-https://ebpfless.github.io/repo}
	version_pin=${VERSION:-}
	wrap=() added=() arguments=("$@")
	while (($#)); do
		case $1 in
		--wrap) wrap+=("${2:?--wrap needs the name of a service}") && shift ;;
		--from) mirror=$(cd "${2:?--from needs a folder}" && pwd) && shift ;;
		--no-ebpfless) ebpfless=false ;;
		--dry-run) dry=yes ;;
		--uninstall) action=uninstall ;;
		--purge) action=uninstall purge=yes ;;
		*) die "unknown argument $1 (known: --wrap NAME, --from DIR, --no-ebpfless, --dry-run, --uninstall, --purge)" ;;
		esac
		shift
	done
	mirror=${mirror%/}
	need_root
	umask 022
	[[ -n $dry ]] || : >>"$log" || die "can't write $log: is the disk full, or read-only?"
	work=$(mktemp -d)
	trap restore EXIT
	manager=$(package_manager)
	"$action"
	rm -rf "$work"
	work=''
}

main "$@"
