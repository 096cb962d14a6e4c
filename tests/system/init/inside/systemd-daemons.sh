# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # expect.sh and systemd.sh have and read what is not used here
# Sourced by systemd.sh: the daemons of Debian, with traffic.

nginx() {
	service=nginx
	requests() { ab -q -n 3000 -c 20 http://127.0.0.1/ | awk '/^Failed requests/ {f=$3} /^Complete requests/ {c=$3} /^Non-2xx/ {f+=$3} END {exit !(c == 3000 && f == 0)}'; }
	enable nginx
	wrapped nginx
	step "traffic, and a reload meanwhile"
	(for _ in 1 2 3; do sleep 0.2; systemctl reload nginx || touch /tmp/reload-failed; done) &
	expect "no request fails" requests
	wait $!
	[[ ! -e /tmp/reload-failed ]] || fail "reload"
	expect "workers after a reload are traced" traced "$(pgrep -u www-data nginx | tail -n 1)"
	mark
	timeout 3 cwsctl events -f nginx >/tmp/live &
	sleep 0.5
	curl -s -o /dev/null http://127.0.0.1/evil
	detected password_hashes_read
	wait $!
	expect "is seen live" grep -q '^20.* password_hashes_read' /tmp/live
	step "figures"
	shown() { cwsctl list -o json | sed -n "s/^ *\"$1\": \([0-9]*\),\{0,1\}$/\1/p"; }
	same "processes" "$(pgrep -x nginx | sort -n | tr '\n' ' ')" "$(cwsctl status nginx | sed -n 's/^  processes .*: //p' | tr ' ' '\n' | sort -n | tr '\n' ' ')"
	local had
	had=$(shown events)
	curl -s -o /dev/null http://127.0.0.1/
	counted() { (($(shown events) > had)); }
	expect "events are counted: $had" soon counted
	same "dropped" 0 "$(shown dropped)"
	step "restart, crash"
	expect "restart" systemctl restart nginx
	wrapped nginx
	had=$(main_pid nginx)
	pkill -KILL -x nginx # the workers as well, which would go on answering for a while
	back() { curl -sf http://127.0.0.1/ && [[ $(main_pid nginx) != "$had" ]]; }
	expect "starts again after a crash" soon back
	wrapped nginx
	step "stop, start, unwrap"
	expect "stop" systemctl stop nginx
	[[ -z $(pgrep -x nginx) ]] || fail "processes are left after stop"
	[[ $(systemctl is-active nginx) == inactive ]] || fail "it is $(systemctl is-active nginx) after stop"
	expect "start" systemctl start nginx
	wrapped nginx
	disable nginx
	unwrapped nginx
	expect "traffic without" requests
	step "start and stop without enabling"
	expect "start" systemctl start cws-wrap@nginx
	wrapped nginx
	expect "stop" systemctl stop cws-wrap@nginx
	unwrapped nginx
}

postgresql() {
	service=$cluster
	enable "$service"
	wrapped "$service"
	su - postgres -c 'createdb bench; pgbench -i -q bench' >/dev/null 2>&1
	expect "no transaction fails" su - postgres -c 'pgbench -n -c 4 -t 100 bench'
	mark
	su - postgres -c "psql -qc \"copy (select 1) to program 'cat >/dev/null'\""
	detected shell_from_server
	expect "reload" systemctl reload "$service"
	expect "restart" systemctl restart "$service"
	wrapped "$service"
	kill -KILL "$(main_pid "$service")"
	expect "starts again after a crash" soon su - postgres -c 'pgbench -n -c 1 -t 1 bench'
	wrapped "$service"
	expect "stop" systemctl stop "$service"
	gone() { ! pgrep -x postgres; } # those that have ended wait for their parent, which may take a moment
	expect "no processes are left after stop" soon gone
	expect "start" systemctl start "$service"
	wrapped "$service"
	disable "$service"
	unwrapped "$service"
	su - postgres -c 'dropdb bench'
}

# Debian's Redis forbids ptrace to itself, so it stays plain and is watched from outside.
redis() {
	service=redis-server
	refuse 1 'SystemCallFilter= forbids ptrace' cwsctl wrap redis-server
	expect "attach" systemctl enable --quiet --now cws-attach@redis-server
	follows() { traced "$(main_pid redis-server)"; }
	expect "attached when it is ready" follows
	expect "no request fails" redis-benchmark -q -n 5000 -c 10 -t set,get
	mark
	redis-cli replicaof 127.0.0.66 7 >/dev/null
	detected rogue_replication
	expect "in its own control group" grep -q '"rogue_replication".*"cgroup":{"id":"[^"]*redis-server.service"' /tmp/new.json
	redis-cli replicaof no one >/dev/null
	expect "restart" systemctl restart redis-server
	expect "attached after a restart" soon follows
	kill -KILL "$(main_pid redis-server)"
	alive() { [[ $(redis-cli ping) == PONG ]] && follows; }
	expect "attached after a crash" soon alive
	expect "stop" systemctl stop redis-server
	gone() { [[ $(systemctl is-active cws-attach@redis-server) == inactive ]]; }
	expect "stops with it" soon gone
	expect "start" systemctl start redis-server
	expect "starts with it" soon follows
	expect "detach" systemctl disable --quiet --now cws-attach@redis-server
	expect "plain" plain "$(main_pid redis-server)"
	same "answers" PONG "$(redis-cli ping)"
}
