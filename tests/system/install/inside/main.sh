# shellcheck shell=bash disable=SC2317,SC2154,SC2016
# What holds on every host: install, again, switch off, upgrade, uninstall, purge.
# truncated: whatever arrives of the script, nothing runs before its end.
truncated() {
	local size i
	size=$(stat -c %s "$script")
	for ((i = 0; i < 50; i++)); do
		# Half of them in the last bytes, where it could matter.
		head -c $((i % 2 ? size - 2 - i / 2 : (RANDOM * 32768 + RANDOM) % (size - 2))) "$script" | bash -s -- --unheard-of >/root/said 2>&1
		! grep -q 'unknown argument' /root/said || { echo "ran after a cut at $i"; return 1; }
	done
	unchanged
}

main_path() {
	note
	refusals
	server /srv/repo
	installs
	again
	unset "${!DD_@}"
	releases
	removals
}

# core: the quick part of it.
core() {
	note
	server /srv/repo
	installs
	unset "${!DD_@}"
	removals
}

refusals() {
	check "half a script does nothing" truncated
	check "no network" refused 'the download failed' piped
	server /srv/index
	check "an index that was changed" refused "can't use" piped
	server /srv/package
	check "packages that were changed" refused 'could not install' piped
	server /srv/key
	check "another key" refused "can't use" piped
	server /srv/repo half
	check "a server that stops half-way" refused 'could not install' piped
	server /srv/repo
	check "a dry run tells commands" bash -c "bash $script --dry-run | grep -q '^+ .*install .*cws-probe'"
	check "and changes nothing" unchanged
	check "an unknown argument" refused 'unknown argument' bash "$script" --frobnicate
}

installs() {
	export DD_API_KEY=0123456789abcdef0123456789abcdef DD_TAGS=a:b,c:d DD_URL=https://example.com DD_RUNTIME_SECURITY_CONFIG_FIM_ENABLED=true
	check "piped, it installs, and no command line tells the key" keeps_secret piped
	check "the log doesn't, either" not grep -q "$DD_API_KEY" /var/log/ebpfless-install.log
	check "the probe runs" soon running
	check "the guide's check" guide true
	check "the tags are there" grep -q '"a:b","c:d"' "$installed"
	check "the address is there" grep -q 'dd_url: "https://example.com"' "$installed"
	check "the key is there" grep -q "$DD_API_KEY" "$installed"
	check "and what else the variables say" grep -q 'fim_enabled: true' "$installed"
	check "a wrapped program is detected" hostile first
}

again() {
	local pid
	pid=$(probe)
	times >/root/times
	check "as an argument, again" as_argument
	check "nothing was written" diff /root/times <(times)
	check "the probe is the same" same_probe "$pid"
	check "the mode can be switched off" as_argument --no-ebpfless
	check "it is off" guide false
	check "the probe is stopped" not probe
	check "and on again, from a folder" as_argument --from /srv/repo
	check "the probe runs again" soon running
}

releases() {
	server /srv/newer
	check "VERSION keeps a release" env VERSION=1.0.0 bash "$script"
	check "it is that one" version 1.0.0
	check "without it comes the newest" piped
	check "it is that one" version 1.1.0
	check "VERSION goes back" env VERSION=1.0.0 bash "$script"
	check "it is that one" version 1.0.0
	check "a release that isn't there" not env VERSION=7.7.7 bash "$script"
	check "the one that is there stays" version 1.0.0
	check "and its probe runs" soon running
}

removals() {
	check "uninstall" bash "$script" --uninstall
	check "the probe is gone" not probe
	check "the configuration stays" bash -c "ls $installed*"
	check "install again" piped
	check "purge" bash /root/test/uninstall.sh --purge
	check "nothing is left behind" unchanged
}

version() { [[ $(cwsctl version) == *"$1"* ]]; }
