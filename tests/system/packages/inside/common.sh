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

# refused PATTERN COMMAND…: it fails, and for that reason.
refused() {
	local pattern=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "it succeeds: $said"
		return 1
	fi
	echo "$said"
	grep -Eq "$pattern" <<<"$said"
}

# soon COMMAND…: it succeeds within ten seconds.
soon() {
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	"$@"
}

# files: accounts, units, and what is on the disk, but for what package managers and the system itself write.
files() {
	cat /etc/passwd /etc/group
	if [[ -d /run/systemd/system ]]; then systemctl list-unit-files --no-legend --no-pager --type service,target | sort; fi
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

# application: something that runs on, wrapped, and does what a rule is about whenever it is asked to, or all the time. The test's
# own rule for that is not held back by limits, and takes hashes.
application() {
	running >/dev/null || return 1
	cat >/etc/datadog-agent/runtime-security.d/test.policy <<'EOF'
rules:
  - {id: counted, expression: 'exec.file.path =~ "/tmp/count-*"', every: 1ns, actions: [{hash: {}}]}
EOF
	kill -HUP "$(probe)"
	cat >/tmp/application <<'EOF'
#!/bin/sh
n=0
while :; do
	if [ -e /tmp/ask ]; then
		word=$(cat /tmp/ask)
		rm /tmp/ask
		cp /bin/true "/tmp/$word"
		"/tmp/$word"
	fi
	if [ -e /tmp/counting ]; then
		n=$((n + 1))
		cp /bin/true "/tmp/count-$n"
		"/tmp/count-$n"
		echo "$n" >/tmp/counted
	fi
	sleep 0.1
done
EOF
	setsid cws-instrumentation trace -- /bin/sh /tmp/application </dev/null >/dev/null 2>&1 &
	application=$!
	disown
}

# counting COMMAND…: it runs while the application goes on doing what a rule is about. How often it did, and how often that was
# told, is compared afterwards.
counting() {
	touch /tmp/counting
	sleep 0.5
	"$@" || return 1
	sleep 0.5
	rm /tmp/counting
}

told() { grep '"rule_id":"counted"' "$log" | grep -o '"path":"/tmp/count-[0-9]*"' | sort -u | wc -l; }
all_told() { echo "$(told) of $(cat /tmp/counted)"; [[ $(cat /tmp/counted) -ge 3 && $(told) == $(cat /tmp/counted) ]]; }

# renewed: the program that traces the application is the one that is installed now.
renewed() {
	local tracer
	tracer=$(awk '$1 == "TracerPid:" { print $2 }' "/proc/$application/status")
	[[ $tracer != 0 ]] && cmp "/proc/$tracer/exe" /opt/datadog-agent/embedded/bin/cws-instrumentation
}

# survives SIGNAL: under systemd, another probe runs soon.
survives() {
	local old
	old=$(probe)
	kill "-$1" "$old"
	soon another "$old"
}
another() { running && [[ -n $(probe) && $(probe) != "$1" ]]; }

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

# only_says PATTERN COMMAND…: it succeeds, and what it has to say is that one line. Debian's rpm always says that it is rpm.
only_says() {
	local said
	said=$("${@:2}" 2>&1 >/dev/null) || { echo "$said" && return 1; }
	said=$(grep -v '^rpm: ' <<<"$said")
	echo "$said"
	[[ $(wc -l <<<"$said") == 1 && $said =~ $1 ]]
}
