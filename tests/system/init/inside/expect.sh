# shellcheck shell=bash disable=SC2317 # functions are called by those that they are given to
# Sourced by the tests inside: what they expect, and how they look. service is what they are about.

failures=0 service=
fail() {
	echo "FAILED: $service: $*"
	failures=$((failures + 1))
}
step() { echo "  $service: $*"; }

# expect WHAT COMMAND…: the command must succeed.
expect() {
	local what=$1 out
	shift
	out=$("$@" 2>&1) || fail "$what: $(tail -n 2 <<<"$out")"
}

# refuse STATUS PATTERN COMMAND…: the command must end with the status and one line that the pattern fits.
refuse() {
	local status=$1 pattern=$2 out code=0
	shift 2
	out=$("$@" 2>&1) || code=$?
	[[ $code == "$status" ]] || fail "$*: exit status $code, want $status: $out"
	[[ $out =~ $pattern ]] || fail "$*: says $out, want $pattern"
	[[ $(grep -vcE '^hint: |: still at it after ' <<<"$out") == 1 ]] || fail "$*: says more than a line: $out"
}

# same WHAT WANTED GOT
same() { [[ $2 == "$3" ]] || fail "$1: $3, want $2"; }

# soon COMMAND…: within ten seconds the command succeeds.
soon() {
	local tries=100
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		((tries > 0)) || return 1
		sleep 0.1
	done
}

# traced PID, plain PID, filtered PID (by seccomp)
traced() { [[ $(awk '/^TracerPid/ {print $2}' "/proc/$1/status") != 0 ]]; }
plain() { [[ $(awk '/^TracerPid/ {print $2}' "/proc/$1/status") == 0 ]]; }
filtered() { [[ $(awk '/^Seccomp:/ {print $2}' "/proc/$1/status") == 2 ]]; }

detections=/var/log/datadog/runtime-security.json
mark() { seen=$(wc -l <"$detections"); }

# detected RULE: since the mark, cwsctl shows a hit of the rule for the service.
detected() {
	local rule=$1
	hit() { tail -n "+$((seen + 1))" "$detections" >/tmp/new.json && cwsctl events --file /tmp/new.json -o json "$service" | grep -q "\"rule_id\":\"$rule\""; }
	soon hit || fail "no detection by $rule: $(wc -l </tmp/new.json) detections since, $(grep -o '"rule_id":"[^"]*"' /tmp/new.json | sort | uniq -c | tr '\n' ' ')"
}

# apart COMMAND…: runs it beside all services; on systemd in a control group of its own, as sessions have, for the one that this is run
# in lies outside of the container.
apart() {
	local way=(setsid)
	[[ ! -d /run/systemd/system ]] || way=(systemd-run --quiet --scope)
	"${way[@]}" "$@" </dev/null >/dev/null 2>&1 &
}

# by_match_with_the_filter COMMAND…: the command attaches own to myapp, which runs, and to what is started in its place.
by_match_with_the_filter() {
	step "with the filter installed in what Match= finds"
	printf 'Match=myapp\nInstallFilter=yes\n' >/etc/cws/own.conf
	expect "attach" "$@"
	has() { filtered "$(pidof myapp)" && traced "$(pidof myapp)"; }
	expect "the filter is there" soon has
	mark
	expect "answers" ask 7900 evil
	local about=$service
	service=myapp
	detected password_hashes_read
	service=$about
	kill "$(pidof myapp)"
	ended() { ! pidof myapp; } # its port is free then
	expect "it ends" soon ended
	apart /usr/bin/myapp
	expect "answers" soon ask 7900 hello
	expect "the next one has it, too" soon has
}

# again VERB NAME: cwsctl does what an interrupted call has not done, or has done wholly.
again() {
	local out
	out=$(cwsctl "$@" 2>&1) || [[ $out == *'is wrapped already'* || $out == *'neither wrapped nor attached'* ]] || {
		echo "$out"
		return 1
	}
}

# snapshot: names, links, modes, owners and contents of what must not change; what systemd notes for itself is left out.
snapshot() {
	local volatile='^(/etc/(mtab|resolv.conf)|/run/systemd/(units|journal|sessions|netif|inaccessible|propagate|transient|dynamic-uid|io\.|notify|private|unit-private-tmp|systemd-units-load))'
	local folders=(/etc)
	[[ ! -d /lib/lsb ]] || folders+=(/lib/lsb)
	[[ ! -d /run/systemd ]] || folders+=(/run/systemd)
	find "${folders[@]}" -printf '%p %l %M %U %G\n' | grep -vE "$volatile" | sort
	find "${folders[@]}" -type f | grep -vE "$volatile" | sort | xargs -d '\n' sha256sum
}

verdict() {
	((failures == 0)) || { echo "$failures failures"; exit 1; }
	echo "all as expected"
}
