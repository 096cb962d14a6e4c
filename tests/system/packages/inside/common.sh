# shellcheck shell=bash
# Read by the others: how a check is told, and what is asked on every host.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
failures=0
log=/var/log/datadog/runtime-security.json

# check TEXT COMMAND…: a line that says whether the command succeeded; what it said only if not.
check() {
	local text=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "OK $text"
	else
		echo "FAILED $text: $said"
		failures=$((failures + 1))
	fi
}

not() { ! "$@"; }

# soon COMMAND…: it succeeds within ten seconds.
soon() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	"$@"
}

# files: what is on the disk, but for what package managers and the system itself write.
files() {
	find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /dev -o -path /tmp -o -path /root -o -path /srv -o -path /var/cache \
		-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/dnf -o -path /var/lib/rpm -o -path '/var/log/dnf*' -o -path /var/log/hawkey.log -o -path /var/log/apt -o -path /var/log/dpkg.log \
		-o -path /var/log/journal -o -path /var/lib/systemd -o -path /var/tmp -o -path '/etc/init.d/.depend*' -o -path /var/lib/insserv \
		-o -path /var/log/wtmp -o -path /etc/ld.so.cache -o -path /var/lib/gnupg \) -prune -o -printf '%p %y %m %l\n' | grep -v '^/opt d ' | sort # dpkg takes an empty /opt away, which belongs to nobody
}

running() { if [[ -d /run/systemd/system ]]; then systemctl is-active datadog-agent-sysprobe; else service datadog-agent-sysprobe status; fi; }
probe() { pidof /opt/datadog-agent/embedded/bin/system-probe; }

# detected WORD: the probe has told of a program of that name that its tracer reported.
detected() { grep -q "\"path\":\"/tmp/$1\"" "$log"; }

# hostile WORD: a program that a default rule is about, wrapped.
hostile() { # the probe may not run: then nothing waits for it
	running >/dev/null || return 1
	cp /bin/true "/tmp/$1"
	cws-instrumentation trace -- "/tmp/$1" && soon detected "$1"
}

# application: something that runs on, wrapped, and does what a rule is about whenever it is asked to.
application() {
	running >/dev/null || return 1
	cat >/tmp/application <<'EOF'
#!/bin/sh
while :; do
	if [ -e /tmp/ask ]; then
		word=$(cat /tmp/ask)
		rm /tmp/ask
		cp /bin/true "/tmp/$word"
		"/tmp/$word"
	fi
	sleep 0.1
done
EOF
	setsid cws-instrumentation trace -- /bin/sh /tmp/application </dev/null >/dev/null 2>&1 &
	application=$!
	disown
}

# answers WORD: the application runs on under its pid, and what it does is told.
answers() {
	echo "$1" >/tmp/ask
	kill -0 "$application" && soon detected "$1"
}

serve() {
	local folder=$1 server
	if [[ -e /tmp/server ]]; then
		server=$(cat /tmp/server)
		kill "$server" 2>/dev/null
		soon not kill -0 "$server" # else the next one finds the port in use, and ends
	fi
	if command -v busybox >/dev/null; then
		setsid busybox httpd -f -p 127.0.0.1:8000 -h "$folder" >/dev/null 2>&1 &
	else
		setsid python3 -m http.server --bind 127.0.0.1 --directory "$folder" 8000 >/dev/null 2>&1 &
	fi
	server=$!
	disown
	echo "$server" >/tmp/server
	soon bash -c ': </dev/tcp/127.0.0.1/8000'
}

# toy_is wrapped|plain: whether the service of the test is traced.
toy_is() {
	local pid tracer
	pid=$(pgrep -f '^/bin/sleep 100000') || return 1
	tracer=$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$pid/status")
	case $1 in wrapped) [[ $tracer != 0 ]] ;; *) [[ $tracer == 0 ]] ;; esac
}
