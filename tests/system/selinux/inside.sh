#!/bin/bash
# Runs in the virtual machine, in the domain of init's scripts. Its arguments are the functions below that are to be tried.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source-path=SCRIPTDIR/../packages/inside
set -uo pipefail
. "$(dirname "$0")/common.sh"
ports=/var/lib/selinux/default/active/ports.local # what semanage-port(8) keeps; semanage itself takes long here

# soon COMMAND…: it succeeds within half a minute; the processor is emulated.
soon() {
	local i
	for ((i = 0; i < 60; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.5
	done
	"$@"
}

main_pid() { systemctl show --property MainPID --value "$1"; }
context() { tr -d '\0' <"/proc/$(main_pid "$1")/attr/current"; }
is() { [[ $(context "$1") == "$2" ]] || { context "$1"; return 1; }; }
domain() { [[ $(context "$1") == *:"$2":* ]] || { context "$1"; return 1; }; }
traced() { grep '^TracerPid:[[:space:]][1-9]' "/proc/$(main_pid "$1")/status"; }
untraced() { grep '^TracerPid:[[:space:]]0$' "/proc/$(main_pid "$1")/status"; }
tracers() {
	local pid
	for pid in $(pgrep -f '^cws-loop loop$'); do
		tr -d '\0' <"/proc/$pid/attr/current"
		echo
	done | sort | uniq -c | tr -s ' '
}
fetch() { busybox wget -q -O - "http://127.0.0.1/$1"; }
replaced() { [[ $(pgrep -P "$(main_pid nginx)") != "$1" ]]; }
hit() { grep -q "\"rule_id\":\"$1\"" "$log"; }

# denials PATTERN: what was refused since the boot and matches, be it by the kernel or by systemd.
denials() { ausearch -m avc,user_avc,selinux_err,user_selinux_err -ts boot 2>/dev/null | grep -E 'denied|SELINUX_ERR' | grep -E "$1"; }
denied() { denials "denied +\{[^}]*$1.*scontext=[^ ]*:$2:.*$3"; }

# as TYPE COMMAND…: started by init, so that the program's label decides about the domain.
started() { systemd-run --quiet --wait --pipe --collect -- "$@"; }

domains() {
	check "SELinux is enforced" test "$(getenforce)" = Enforcing
	check "the module has priority 200" sh -c 'semodule --list=full | grep -E "^200 +cws +pp"'
	check "the port is the probe's" grep 'tcp 5678 .*:cws_port_t:' "$ports"
	check "the probe runs in its domain" soon domain datadog-agent-sysprobe cws_probe_t
	check "the probe listens" soon grep -i ':162E 00000000:0000 0A' /proc/net/tcp
	check "its log has its type" sh -c "ls -Z $log | grep :cws_log_t:"
}

# wrapped SERVICE: it keeps the very context that it has without us.
wrapped() {
	local plain
	systemctl start "$1"
	plain=$(context "$1")
	check "$1 has a domain without us" test -n "$plain"
	check "$1 can be wrapped" systemctl enable --now "cws-wrap@$1"
	check "$1 is traced" soon traced "$1"
	check "$1 is still $plain" is "$1" "$plain"
}

services() {
	wrapped nginx
	wrapped cron
	wrapped toy
	check "cws-generator's files have a type that init reads" sh -c 'ls -Z /run/systemd/generator/nginx.service.d | grep -E ":(init_runtime_t|systemd_unit_t):"'
	check "cwsctl's files have their type" sh -c 'ls -dZ /run/cws | grep :cws_runtime_t:'
	check "redis can be attached to" systemctl enable --now cws-attach@redis-server
	check "redis is traced" soon traced redis-server
	check "redis is still redis_t" domain redis-server redis_t
	check "cwsctl follows it in its domain" domain cws-attach@redis-server cwsctl_t
	check "all four tracers run in their domain, not $(tracers)" test "$(tracers)" = ' 4 system_u:system_r:cws_tracer_t:s0'
	check "doctor finds the module" sh -c 'cwsctl doctor | grep "enforcing, with the module cws"'
}

detections() {
	check "nginx answers" fetch bait.html
	check "what wrapped nginx reads is detected" soon hit page_read
	check "redis writes" redis-cli save
	check "what attached redis writes is detected" soon hit database_written
	local workers
	workers=$(pgrep -P "$(main_pid nginx)")
	fetch forbidden.html >/dev/null 2>&1 # it may be answered: the rule hits when the page has been opened
	check "the process that a rule kills is replaced" soon replaced "$workers"
	check "the kill is told" soon hit page_forbidden
	check "nginx goes on" soon fetch bait.html
}

booleans() {
	systemctl stop nginx toy # whoever is traced at a change is hampered, see cws_selinux(8)
	setsebool cws_trace_all off
	systemctl start nginx toy
	check "without cws_trace_all nginx runs untraced" untraced nginx
	check "it says why" sh -c 'journalctl -b -u nginx | grep "SELinux does not let the tracer trace httpd_t"'
	check "it answers" fetch bait.html
	check "it is still httpd_t" domain nginx httpd_t
	check "a service that the administrator's policy names is traced" soon traced toy
	check "in its own domain" domain toy toy_t
	setsebool cws_trace_all on
	systemctl restart nginx
	check "with it nginx is traced again" soon traced nginx
}

upgrade() {
	local nginx
	nginx=$(main_pid nginx)
	check "the package can be upgraded" dpkg -i /mnt/cws-selinux_1.1.0-1_all.deb
	check "nginx ran through it" test "$(main_pid nginx)" = "$nginx"
	check "nginx is traced" traced nginx
	check "the probe is in its domain" domain datadog-agent-sysprobe cws_probe_t
	check "the port is still the probe's" grep 'tcp 5678 .*:cws_port_t:' "$ports"
}

quiet() { check "nothing of ours was refused so far" not denials ':cws'; }

refusals() {
	local said
	check "the probe may not write /etc/shadow" not started /usr/local/bin/busybox-captured dd if=/dev/null of=/etc/shadow
	check "the kernel refused it" soon denied write cws_probe_t ':shadow_t:'
	check "the probe may not execute a shell" not started /usr/local/bin/busybox-captured env /bin/sh -c true
	check "the kernel refused it" soon denied execute cws_probe_t ':shell_exec_t:'
	check "another domain may not connect to the probe" not started /usr/local/bin/busybox-stranger nc -w 5 127.0.0.1 5678
	check "the kernel refused it" soon denied name_connect stranger_t ':cws_port_t:'
	check "another domain may not trace by our tracer" not started /usr/local/bin/busybox-stranger env \
		/opt/datadog-agent/embedded/bin/cws-instrumentation trace --async --pid "$(main_pid nginx)"
	check "the kernel refused it" soon denied ptrace stranger_t ':httpd_t:'
	check "/etc/shadow is as it was" test -s /etc/shadow
	setsebool deny_ptrace on
	check "doctor says that our tracers are not bound by deny_ptrace" sh -c 'cwsctl doctor | grep "module cws, whose tracers trace although the boolean deny_ptrace is on"'
	said=$(started /usr/local/bin/busybox-stranger env /opt/datadog-agent/embedded/bin/cws-instrumentation trace --async -- \
		/usr/local/bin/busybox-stranger echo works 2>&1) # a file it might not write to
	setsebool deny_ptrace off
	check "under deny_ptrace a tracer without our domain names the boolean" grep deny_ptrace <<<"$said"
	check "and its application runs" grep -x works <<<"$said"
	said=$(started /usr/local/bin/busybox-stranger env /opt/datadog-agent/embedded/bin/cws-instrumentation trace --async -- \
		/usr/local/bin/busybox-stranger echo works 2>&1)
	check "so does one whose tracer is root without a root's capabilities" grep -x works <<<"$said"
}

removal() {
	semodule -X 300 -r toy # which needs ours
	check "the package can be removed" dpkg -r cws-selinux
	check "the module is gone" sh -c '! semodule -l | grep -w cws'
	check "the port is nobody's" not grep 'tcp 5678 ' "$ports"
	check "the files have other types" sh -c '! ls -Z /opt/datadog-agent/embedded/bin /usr/bin/cwsctl | grep cws_'
	check "no process is left without a domain" sh -c '! ps -eo label,args | grep "[u]nlabeled_t"'
	check "the probe runs" soon systemctl is-active datadog-agent-sysprobe
	check "nginx answers" soon fetch bait.html
	check "nginx is still httpd_t" domain nginx httpd_t
	check "nginx is traced" soon traced nginx
	setsebool deny_ptrace on
	check "doctor names the boolean deny_ptrace" sh -c 'cwsctl doctor | grep "the boolean deny_ptrace is on: applications run untraced"'
	setsebool deny_ptrace off
}

systemctl is-system-running --wait >/dev/null
for part; do
	echo "== $part ($(date +%T))"
	"$part"
done
((failures == 0)) || { denials ':(cws|stranger|toy)' | tail -n 20; echo "$failures failed" >&2; exit 1; }
