# shellcheck shell=bash disable=SC2317,SC2154
# Every command of the README and of the man pages, as it stands there. What no case knows is a failure.

# commands: the indented lines of the README and the examples of the man pages, comments left out.
commands() {
	sed -n 's/^    \([^ #].*\)/\1/p' /root/test/README.md | sed 's/  *# .*//'
	sed -n 's/^\.Dl //p' /root/test/man/*
}

# stage makes what the examples name: services nginx and redis, a program, a port.
stage() {
	local name
	cp /bin/sleep /usr/local/bin/redis-server
	# shellcheck disable=SC2016 # for the program
	printf '#!/bin/sh\necho "$0 $*"\n' >/usr/bin/myapp
	chmod +x /usr/bin/myapp
	for name in nginx redis; do
		printf '[Service]\nExecStart=%s 100000\n[Install]\nWantedBy=multi-user.target\n' "$([[ $name == nginx ]] && echo /bin/sleep || echo /usr/local/bin/redis-server)" >"/etc/systemd/system/$name.service"
	done
	systemctl daemon-reload
	systemctl start nginx redis
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
	local command name
	while read -r command; do
		for name in nginx redis; do # each example stands alone: what one wrapped is plain for the next that wraps it
			case $command in
			*'wrap '*"$name"* | *attach*"$name"* | *--pid*) cwsctl unwrap "$name" >/dev/null 2>&1 ;;
			esac
		done
		[[ $command != 'cwsctl unwrap nginx' ]] || cwsctl wrap nginx >/dev/null 2>&1
		case $command in
		'make packages' | 'make run' | 'make test' | 'docker build '*) # these build: other suites run them
			grep -q "^${command#make }:.*##" /root/test/Makefile || [[ $command == docker* && -e /root/test/packaging/docker/Dockerfile ]] || check "no target: $command" false
			;;
		'curl '*) check "$command" shell "${command//https:\/\/HOST/https://localhost:8443}" ;;
		*' --pretty &') check "$command" beside "$command" ;;
		'cwsctl events -f'*) check "$command" runs_on "$command" ;;
		'cws-instrumentation trace --pid'* | 'bin/cws-instrumentation trace --pid'*) check "$command" runs_on "$command" ;;
		'bash install.sh --uninstall')
			check "$command" shell "$command"
			bash "$script" --from /srv/repo >/dev/null
			;;
		'export '* | 'systemctl '* | 'cwsctl '* | 'system-probe '* | 'bash install.sh '* | 'cws-instrumentation trace '* | 'bin/cws-instrumentation trace '*)
			check "$command" shell "$command"
			;;
		*) check "no case for the documented command: $command" false ;;
		esac
	done < <(commands)
}

docs() {
	mkdir -p /root/web && cp -r /srv/repo/. /root/web && cp "$script" /root/web # as HOST has it
	server /root/web tls
	stage
	documented
	systemctl stop nginx redis
	bash "$script" --purge >/dev/null
	rm -f /etc/systemd/system/{nginx,redis}.service /usr/bin/myapp
}
