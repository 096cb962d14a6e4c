# shellcheck shell=bash disable=SC2317,SC2154,SC2016,SC2059
# Configurations that are there before: kept, edited, or left alone with a reason, and given back.
one() { # NAME TEXT PATTERN: installed over it; the file then matches, or the installation is refused
	local name=$1 pattern=$3
	mkdir -p /etc/datadog-agent
	printf "$2" >"$installed"
	chmod 600 "$installed"
	note
	if [[ $pattern == refused:* ]]; then
		check "$name: left alone, and told" refused "${pattern#refused:}" piped
	else
		check "$name: installed" piped
		check "$name: edited" grep -qzP -- "$pattern" "$installed"
		check "$name: mode and file of before stay" bash -c "stat -c %a $installed | grep -qx 600 && cmp $installed.bak <(printf '$2')"
		check "$name: purge" bash "$script" --purge
		check "$name: is given back" unchanged
	fi
	rm -rf /etc/datadog-agent
}

configurations() {
	server /srv/repo
	one comments '# mine\nruntime_security_config: # here\n  enabled: false # why\n' '# mine\nruntime_security_config: # here\n  ebpfless:\n    enabled: true\n  enabled: true # why\n'
	one flow 'runtime_security_config:\n  ebpfless: {enabled: false}\n' 'ebpfless: \{enabled: true\}\n'
	one tabs 'runtime_security_config:\n\tenabled: true\n' 'refused:system-probe.yaml:2: broken YAML'
	one twice 'log_level: info\nlog_level: warn\n' 'refused:log_level is given twice, first on line 1'
	files_of_other_kinds
}

files_of_other_kinds() {
	mkdir -p /etc/datadog-agent /root/elsewhere
	echo '# theirs' >/root/elsewhere/real.yaml
	chown 12:34 /root/elsewhere/real.yaml
	ln -s /root/elsewhere/real.yaml "$installed"
	check "a link: installed" piped
	check "a link stays one" test -L "$installed"
	check "its target is edited, its owner stays" bash -c 'grep -q "enabled: true" /root/elsewhere/real.yaml && stat -c %u:%g /root/elsewhere/real.yaml | grep -qx 12:34'
	check "a link: purge" bash "$script" --purge
	rm -rf /etc/datadog-agent
	mkdir -p /etc/datadog-agent
	echo '# theirs' >"$installed"
	chattr +i "$installed"
	note
	check "an immutable file: told" refused 'is it immutable' piped
	chattr -i "$installed"
	mount --bind /etc/datadog-agent /etc/datadog-agent && mount -o remount,ro,bind /etc/datadog-agent
	check "a file system that is read-only: told" not piped
	umount /etc/datadog-agent
	check "it is as before" unchanged
	rm -rf /etc/datadog-agent
}
