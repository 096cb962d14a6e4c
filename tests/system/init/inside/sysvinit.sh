#!/bin/bash
# Runs inside a booted sysvinit container: sysvinit.sh services|input|guide|reboot|rebooted, or one function with its arguments
# shellcheck disable=SC2317 # functions are called by those that they are given to
set -uo pipefail
cd "$(dirname "$0")" || exit 1
# shellcheck source=tests/system/init/inside/expect.sh disable=SC1091
. ./expect.sh
service=none

# pid NAME: the main process, by its pid file.
pid() {
	case $1 in
	nginx) cat /run/nginx.pid ;;
	redis-server) cat /run/redis/redis-server.pid ;;
	postgresql) head -n 1 /run/postgresql/15-main.pid ;;
	toy-redhat) cat /run/toy-redhat.pid ;;
	toyd) ask 7032 pid ;;
	esac
}

# status WANTED SCRIPT VERB: LSB's exit codes.
status() {
	local wanted=$1 code=0
	shift
	"/etc/init.d/$1" "${@:2}" >/tmp/out 2>&1 || code=$?
	[[ $code == "$wanted" ]] || fail "$*: exit status $code, want $wanted: $(cat /tmp/out)"
}

# daemon NAME TRAFFIC… : wrap, all verbs, unwrap.
daemon() {
	service=$1
	shift
	local script=cws-wrap-$service
	expect "wrap" cwsctl wrap "$service"
	expect "answers" soon "$@"
	expect "traced" traced "$(pid "$service")"
	refuse 1 'wrapped already' cwsctl wrap "$service"
	same "places in the runlevel" "$script" "$(find /etc/rc2.d -name "S??$service" -o -name "S??$script" | sed 's/.*S..//')"
	expect "no request fails" "$@"
	step "start, restart, force-reload, try-restart, status, stop"
	status 0 "$script" start
	if [[ $service != toy* ]]; then # whose functions know no hooks
		status 0 "$service" restart
		soon "$@"
		expect "traced after a restart by its own script" traced "$(pid "$service")"
	fi
	status 0 "$script" restart
	soon "$@"
	expect "traced after restart" traced "$(pid "$service")"
	status 0 "$script" force-reload
	expect "answers after force-reload" soon "$@"
	expect "traced after force-reload" traced "$(pid "$service")"
	status 0 "$script" try-restart
	soon "$@"
	expect "traced after try-restart" traced "$(pid "$service")"
	status 0 "$script" status
	status 2 "$script" nonsense
	status 0 "$script" stop
	status 3 "$script" status
	status 0 "$script" try-restart
	status 3 "$script" status
	status 0 "$script" start
	expect "answers" soon "$@"
	expect "traced" traced "$(pid "$service")"
	busybox ash "/etc/init.d/$script" restart >/tmp/out 2>&1 || fail "restart by busybox's shell: $(cat /tmp/out)"
	expect "answers" soon "$@"
	expect "traced" traced "$(pid "$service")"
}

unwrap() {
	service=$1
	shift
	expect "unwrap" cwsctl unwrap "$service"
	expect "answers" soon "$@"
	expect "plain" plain "$(pid "$service")"
}

web() { ab -q -n 500 -c 10 http://127.0.0.1/ | awk '/^Failed requests/ {f=$3} /^Complete requests/ {c=$3} END {exit !(c == 500 && f == 0)}'; }
up() { [[ $(redis-cli ping) == PONG ]]; }
cache() { up && timeout 30 redis-benchmark -q -n 2000 -c 5 -t set,get && up; } # redis-benchmark turns for ever where nobody listens yet
database() { su - postgres -c 'pgbench -n -c 2 -t 20 bench'; }

services() {
	service=postgresql
	expect "a database" soon su - postgres -c 'dropdb --if-exists bench && createdb bench && pgbench -i -q bench'
	snapshot >/tmp/before
	daemon nginx web
	mark
	curl -s -o /dev/null http://127.0.0.1/evil
	detected password_hashes_read
	daemon redis-server cache
	mark
	redis-cli replicaof 127.0.0.66 7 >/dev/null
	detected rogue_replication
	redis-cli replicaof no one >/dev/null
	daemon postgresql database
	mark
	su - postgres -c "psql -qc \"copy (select 1) to program 'cat >/dev/null'\""
	service=postgres
	detected shell_from_server
	unwrap nginx web
	unwrap redis-server cache
	unwrap postgresql database
	attached
	red_hat
	own_command
	service="what is left"
	snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff || fail "/etc differs: $(cat /tmp/diff)"
	[[ -z $(ls /var/lib/cws/sysvinit 2>/dev/null) ]] || fail "state is left: $(ls /var/lib/cws/sysvinit)"
	[[ -z $(pgrep -f 'cws-(instrumentation|loop)') ]] || fail "tracers are left: $(pgrep -af 'cws-(instrumentation|loop)')"
}

# A script of Red Hat's kind: its functions, its header, its files of what runs.
red_hat() {
	toy() { ask 7031 hello; }
	by_name() { ask 7032 hello; }
	service=toy-redhat
	mkdir -p /var/lock/subsys
	status 0 toy-redhat start
	expect "answers" soon toy
	daemon toy-redhat toy
	[[ -e /var/lock/subsys/cws-wrap-toy-redhat ]] || fail "rc would not stop it"
	mark
	ask 7031 evil >/dev/null
	service=toy
	detected password_hashes_read
	unwrap toy-redhat toy
	[[ ! -e /var/lock/subsys/cws-wrap-toy-redhat ]] || fail "rc would stop what is gone"
	expect "wrap" cwsctl wrap toy-redhat
	status 0 cws-wrap-toy-redhat stop
	status 7 cws-wrap-toy-redhat stop # there is nothing to stop, which this script takes for a failure
	expect "unwrap what is stopped" cwsctl unwrap toy-redhat
	status 3 toy-redhat status
	service=toyd
	status 0 toyd start
	expect "answers" soon by_name
	local before
	before=$(by_name)
	daemon toyd by_name
	same "what it says of itself" "$before" "$(by_name)"
	same "its nice value" 5 "$(ps -o ni= -p "$(pid toyd)" | tr -d ' ')"
	same "found by its name" "$(pid toyd)" "$(/etc/init.d/toyd pid)"
	expect "reload" /etc/init.d/cws-wrap-toyd reload
	kill -KILL "$(pid toyd)"
	crashed() { ! pgrep -x toyd; }
	expect "it crashes" soon crashed
	status 2 cws-wrap-toyd status
	status 0 cws-wrap-toyd start
	expect "answers" soon by_name
	unwrap toyd by_name
	status 0 toyd stop
	status 0 toyd stop
	service=toy-unlinked
	cp /etc/init.d/toy-redhat /etc/init.d/toy-unlinked
	expect "wrap what no runlevel starts" cwsctl wrap toy-unlinked
	same "its places in the runlevels" "" "$(find /etc/rc?.d -name '*toy-unlinked')"
	expect "unwrap" cwsctl unwrap toy-unlinked
	same "its places in the runlevels" "" "$(find /etc/rc?.d -name '*toy-unlinked')"
	rm /etc/init.d/toy-unlinked
	rmdir /var/lock/subsys
}

# What is refused changes nothing and says why in one line.
input() {
	service=input
	snapshot >/tmp/before
	refuse 1 'no such service' cwsctl wrap nosuch
	refuse 1 'no service that can be watched' cwsctl wrap datadog-agent-sysprobe
	refuse 1 'no service that can be watched' cwsctl wrap cws-wrap-nginx
	refuse 1 'neither wrapped nor attached' cwsctl unwrap nginx
	local bad after
	# shellcheck disable=SC2016 # no shell may ever expand it
	for bad in '' '../nginx' 'a/b' 'a;reboot' '$(reboot)' $'a\nb' 'a b' 'a@'; do
		refuse 2 'name of a service|is a template' cwsctl wrap -- "$bad"
	done
	cp /usr/bin/toy /etc/init.d/toy-program
	refuse 1 'is no script' cwsctl wrap toy-program
	rm /etc/init.d/toy-program
	step "two at once"
	flock -n /var/lib/cws/changes/lock sleep 2 &
	sleep 0.5
	refuse 1 'another cwsctl' cwsctl wrap nginx
	wait
	step "a full disk"
	mount -t tmpfs -o size=4k tmpfs /var/lib/cws/changes
	head -c 4096 /dev/zero >/var/lib/cws/changes/fill
	refuse 1 'no space left' cwsctl wrap nginx
	umount /var/lib/cws/changes
	step "a tracer that has no room to trace"
	# shellcheck disable=SC2016 # for that shell
	refuse 1 'starts, but untraced: .*ulimit -v' bash -c 'ulimit -Sv 1000000 && exec cwsctl wrap nginx'
	expect "answers" soon web
	expect "plain" plain "$(pid nginx)"
	step "a script that leaves no process"
	printf '#!/bin/sh\nexit 0\n' >/etc/init.d/once
	chmod +x /etc/init.d/once
	expect "wrap" cwsctl wrap once
	expect "unwrap" cwsctl unwrap once
	rm /etc/init.d/once
	step "wrap and unwrap are killed"
	for after in 0.05 0.3 0.6 1; do
		timeout -s KILL "$after" cwsctl wrap nginx >/dev/null 2>&1
		expect "wrap after it was killed $after seconds on" again wrap nginx
		expect "answers" soon web
		expect "traced" traced "$(pid nginx)"
		timeout -s KILL "$after" cwsctl unwrap nginx >/dev/null 2>&1
		expect "unwrap after it was killed $after seconds on" again unwrap nginx
		expect "answers" soon web
		expect "plain" plain "$(pid nginx)"
	done
	snapshot >/tmp/after
	diff /tmp/before /tmp/after >/tmp/diff || fail "/etc differs: $(cat /tmp/diff)"
	[[ -z $(ls /var/lib/cws/sysvinit /var/lib/cws/changes/*.json 2>/dev/null) ]] || fail "state is left: $(ls -R /var/lib/cws)"
}

attached() {
	service=nginx
	expect "attach" cwsctl attach nginx
	follows() { traced "$(pid nginx)"; }
	expect "followed" soon follows
	status 0 cws-attach-nginx status
	expect "restart" /etc/init.d/nginx restart
	expect "followed after a restart" soon follows
	expect "detach" cwsctl unwrap nginx
	expect "plain" plain "$(pid nginx)"
	step "with the filter installed"
	echo InstallFilter=yes >/etc/cws/nginx.conf
	expect "attach" cwsctl attach nginx
	has() { follows && filtered "$(pid nginx)"; } # nothing can be installed in workers, which have neither CAP_SYS_ADMIN nor no_new_privs
	expect "the filter is there" soon has
	expect "reload" /etc/init.d/nginx reload
	inherited() { filtered "$(pgrep -n -u www-data nginx)"; }
	expect "new workers have it" soon inherited
	expect "no request fails" web
	mark
	curl -s -o /dev/null http://127.0.0.1/evil
	detected password_hashes_read
	expect "restart" /etc/init.d/nginx restart
	expect "the filter is there after a restart" soon has
	expect "detach" cwsctl unwrap nginx
	expect "no request fails without a tracer" web
	expect "restart" /etc/init.d/nginx restart # who had the filter keeps it
	expect "plain" plain "$(pid nginx)"
	rm /etc/cws/nginx.conf
}

own_command() {
	service=own
	printf '%s\n' 'Command=/usr/bin/toy' "Arguments=-listen 127.0.0.1:7100 \"it's; \$HOME\"" 'User=daemon' 'WorkingDirectory=/tmp' >/etc/cws/own.conf
	expect "wrap" cwsctl wrap own
	# shellcheck disable=SC2016 # no shell may ever expand it
	same "what it says of itself" 'argv0=/usr/bin/toy args=["it'"'"'s; $HOME"] uid=1 gid=1 groups=1 home=/root user=' "$(ask 7100 hello | sed 's/home=[^ ]*/home=\/root/')"
	expect "traced" traced "$(ask 7100 pid)"
	status 0 cws-wrap-own status
	status 0 cws-wrap-own restart
	expect "answers" soon ask 7100 hello
	status 0 cws-wrap-own stop
	status 3 cws-wrap-own status
	expect "unwrap" cwsctl unwrap own
	apart /usr/bin/myapp
	expect "answers" soon ask 7900 hello
	by_match_with_the_filter cwsctl attach own
	expect "detach" cwsctl unwrap own
	expect "answers" ask 7900 hello
	kill "$(pidof myapp)"
	rm /etc/cws/own.conf
	rm -f /var/log/cws-wrap-own.log /var/log/cws-attach-own.log
}

# The scripts that the original's guide has its readers write.
guide() {
	service=guide
	cp guide/myapp-wrapped guide/myapp-attached /etc/init.d/
	status 0 myapp-wrapped start
	expect "answers" soon ask 7900 hello
	expect "traced" traced "$(pidof myapp)"
	status 0 myapp-wrapped stop
	stopped() { [[ -z $(pidof myapp) ]]; }
	expect "stopped" soon stopped
	gone() { [[ -z $(pgrep -f 'cws-(instrumentation|loop)') ]]; }
	expect "the tracer has left" soon gone
	setsid /usr/bin/myapp </dev/null >/dev/null 2>&1 &
	expect "answers" soon ask 7900 hello
	status 0 myapp-attached start
	attached() { traced "$(pidof myapp)"; }
	expect "attached" soon attached
	status 0 myapp-attached stop
	detached() { plain "$(pidof myapp)"; }
	expect "detached" soon detached
	expect "lives on" ask 7900 hello
	pkill -x myapp
	rm /etc/init.d/myapp-wrapped /etc/init.d/myapp-attached
}

reboot() {
	service=reboot
	expect "wrap" cwsctl wrap nginx redis-server
}

rebooted() {
	service=rebooted
	expect "nginx answers" soon web
	expect "nginx is traced" traced "$(pid nginx)"
	expect "redis-server answers" soon cache
	expect "redis-server is traced" traced "$(pid redis-server)"
	expect "unwrap" cwsctl unwrap nginx redis-server
	expect "nginx answers" soon web
	expect "plain" plain "$(pid nginx)"
}

"$@"
verdict
