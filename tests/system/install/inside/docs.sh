# shellcheck shell=bash disable=SC2317,SC2154
# Every command of the README and of the man pages that is for a host, as it stands there. What no case knows is a failure.
# shellcheck source=tests/system/documented/commands.sh disable=SC1091
. "$(dirname "$0")/commands.sh"

# complete COMMAND: with an example in the place of what it names in general, or leaves out.
complete() {
	sed -e 's,https://HOST,https://localhost:8443,g; s/ NAME$/ nginx/; s/ KEY VALUE$/ log_level info/; s/^cwsctl wrap$/& nginx/' \
		-e 's/^system-probe config set$/& log_level info/; s,trace --verbose$,& -- /usr/bin/myapp,' <<<"$1"
}

# stage makes what the examples name: services nginx, redis and myapp, a program, a port.
stage() {
	local name
	cp /bin/sleep /usr/local/bin/redis-server
	# shellcheck disable=SC2016 # for the program
	printf '#!/bin/sh\necho "$0 $*"\n' >/usr/bin/myapp
	chmod +x /usr/bin/myapp
	for name in nginx redis myapp; do
		printf '[Service]\nExecStart=%s 100000\n[Install]\nWantedBy=multi-user.target\n' "$([[ $name == redis ]] && echo /usr/local/bin/redis-server || echo /bin/sleep)" >"/etc/systemd/system/$name.service"
	done
	systemctl daemon-reload
	systemctl start nginx redis myapp
	mkdir -p /media
	ln -sfn /srv/repo /media/repo
	mkdir -p /root/source/bin
	cp -r /root/test/packaging /root/source
	ln -sf /opt/datadog-agent/embedded/bin/{system-probe,cws-instrumentation} /root/source/bin
	cp "$script" /root/source
}

# shell COMMAND: in the folder of the sources; what runs on is ended after three seconds, and that is a success.
shell() { (cd /root/source && timeout --foreground -s TERM 30 bash -c "$1"); }
runs_on() {
	local status=0
	(cd /root/source && timeout -s INT 3 bash -c "$1") || status=$?
	[[ $status == 124 || $status == 130 ]]
}

# beside COMMAND: a second probe on another port, because one runs.
beside() {
	local pid
	(cd /root/source && DD_RUNTIME_SECURITY_CONFIG_ENABLED=true DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_SOCKET=localhost:5679 exec bash -c "${1% &} --port-file /root/port") >/root/beside 2>&1 &
	pid=$!
	soon test -s /root/port || { cat /root/beside; return 1; }
	kill "$pid"
}

documented() {
	local command name run
	while read -r command; do
		run=$(complete "$command")
		for name in nginx redis; do # each example stands alone: what one wrapped is plain for the next that wraps it
			case $run in
			*'wrap '*"$name"* | *attach*"$name"* | *--pid*) cwsctl unwrap "$name" >/dev/null 2>&1 ;;
			esac
		done
		[[ $run != 'cwsctl unwrap nginx' ]] || cwsctl wrap nginx >/dev/null 2>&1
		case $run in
		'make '* | 'docker '*) ;; # for the sources: tests/system/documented and the suite for Docker run them
		'semanage '* | 'man cws_selinux') ;; # of cws-selinux, whose suite runs them
		*' --pretty &') check "$command" beside "$run" ;;
		'cwsctl events -f'* | 'cws-instrumentation trace --pid'* | 'bin/cws-instrumentation trace --pid'*) check "$command" runs_on "$run" ;;
		'bash install.sh --uninstall')
			check "$command" shell "$run"
			bash "$script" --from /srv/repo >/dev/null
			;;
		'curl '* | 'export '* | 'systemctl '* | 'cwsctl '* | 'man '* | 'system-probe '* | 'bash install.sh '* | 'cws-instrumentation trace '* | 'bin/cws-instrumentation trace '*)
			check "$command" shell "$run"
			;;
		*) check "no case for the documented command: $command" false ;;
		esac
	done < <(commands /root/test/README.md /root/test/man/*)
}

docs() {
	mkdir -p /root/web && cp -r /srv/repo/. /root/web && cp "$script" /root/web # as HOST has it
	server /root/web tls
	stage
	documented
	systemctl stop nginx redis myapp
	bash "$script" --purge >/dev/null
	rm -f /etc/systemd/system/{nginx,redis,myapp}.service /usr/bin/myapp
}
