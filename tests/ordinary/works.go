package main

// work is something that machines do all day. Its script has traced, which runs a command under the tracer.
type work struct {
	name   string
	first  bool   // others need it; it is done once
	least  uint64 // events: some tenth of what it makes
	script string
}

// prelude are the words that the scripts share; serve is traced for what stays in the background, so that $! is its number.
// Ports are of no service that machines have.
const prelude = `
traced() { "$TRACER" trace --probe-addr "$PROBE" -- "$@"; }
serve() { exec "$TRACER" trace --probe-addr "$PROBE" -- "$@"; }
answers() { # PORT
	for _ in $(seq 300); do
		perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new("127.0.0.1:$ARGV[0]")' "$1" && return
		sleep 0.1
	done
	echo "nobody answers at port $1" >&2
	return 1
}
stop() { kill "$1"; wait "$1" || [ $? -ge 128 ]; }
`

var works = []work{
	{name: "apt install", first: true, least: 2000, script: `
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d # no service is started
		chmod +x /usr/sbin/policy-rc.d
		install() { traced apt-get install -y --no-install-recommends --reinstall openssh-server cron logrotate hello; }
		install || { traced apt-get update && install; }
	`},
	{name: "apt upgrade", least: 2000, script: packages + `
		traced apt-get install -y --allow-downgrades "$site/ordinary-work_1.0_all.deb"
		traced apt-get install -y "$site/ordinary-work_2.0_all.deb"
		grep -q 2.0 /etc/ordinary-work.conf && id ordinary-work
		traced apt-get purge -y ordinary-work
	`},
	{name: "accounts", least: 300, script: `
		traced useradd -m -s /bin/bash worker
		echo 'worker:secret' | traced chpasswd
		traced usermod -aG audio worker
		traced passwd -S worker
		echo '0 4 * * * true' | traced crontab -u worker -
		traced userdel -r worker
	`},
	{name: "logrotate", least: 50, script: `
		for log in auth.log syslog app.log; do seq 1000 >/var/log/$log; done
		printf '/var/log/*.log /var/log/syslog {\n rotate 4\n compress\n missingok\n create 640 root adm\n su root adm\n}\n' >/run/logrotate.conf
		chmod 644 /run/logrotate.conf
		traced logrotate -f -s /run/logrotate.state /run/logrotate.conf
		[ ! -s /var/log/auth.log ] && [ -e /var/log/auth.log.1.gz ]
	`},
	// apt's daily task would sleep for up to half an hour first.
	{name: "cron", least: 500, script: `
		rm -f /run/crond.reboot /run/crond.pid /srv/ran
		printf '@reboot root run-parts --report --regex "^(dpkg|logrotate|passwd|man-db|locate)$" /etc/cron.daily; date >/srv/ran\n' >/etc/cron.d/ordinary
		serve cron -f &
		for _ in $(seq 600); do [ -s /srv/ran ] && break; sleep 0.1; done
		stop $!
		[ -s /srv/ran ]
	`},
	{name: "ssh login", least: 500, script: `
		mkdir -p /run/sshd /root/.ssh
		chmod 700 /root/.ssh
		rm -f /root/.ssh/id_ordinary*
		ssh-keygen -q -N '' -t ed25519 -f /root/.ssh/id_ordinary
		cat /root/.ssh/id_ordinary.pub >>/root/.ssh/authorized_keys
		chmod 600 /root/.ssh/authorized_keys
		serve /usr/sbin/sshd -D -p 20022 -o ListenAddress=127.0.0.1 -o PermitRootLogin=yes -o UsePAM=yes &
		server=$!
		answers 20022
		options="-i /root/.ssh/id_ordinary -o StrictHostKeyChecking=no -o UserKnownHostsFile=/run/known -o BatchMode=yes"
		for _ in 1 2 3 4 5; do
			ssh $options -p 20022 root@127.0.0.1 'id -u; ls /etc >/dev/null; cat /etc/hostname'
		done | grep -c '^0$' | grep -qx 5
		echo 'uname -a; exit' | ssh $options -tt -p 20022 root@127.0.0.1
		scp -q $options -P 20022 /etc/hostname root@127.0.0.1:/srv/copied
		stop $server
	`},
	{name: "nginx", least: 5000, script: `
		mkdir -p /srv/www /srv/nginx
		seq 200 >/srv/www/page.html
		printf 'daemon off; worker_processes 2; pid /run/nginx.pid; error_log /srv/nginx/error;\nevents {}\nhttp { access_log /srv/nginx/access; server { listen 127.0.0.1:20080; root /srv/www; } }\n' >/srv/nginx/nginx.conf
		serve nginx -c /srv/nginx/nginx.conf &
		answers 20080
		load() { # SECONDS
			wrk -t 1 -c 8 -d "$1" http://127.0.0.1:20080/page.html >/srv/nginx/load
			grep -E '^ +[1-9][0-9]{3,} requests in' /srv/nginx/load
			! grep -E 'Socket errors|Non-2xx' /srv/nginx/load
		}
		load 3
		kill -HUP $! && sleep 1
		load 1
		stop $!
	`},
	{name: "redis", least: 30, script: `
		mkdir -p /srv/redis
		serve redis-server --port 26379 --bind 127.0.0.1 --dir /srv/redis --save '1 1' --appendonly yes --daemonize no &
		answers 26379
		redis-benchmark -p 26379 -n 50000 -c 10 -q -t set,get,lpush
		redis-cli -p 26379 save
		redis-cli -p 26379 bgrewriteaof
		sleep 1
		stop $!
	`},
	{name: "postgresql", least: 2000, script: `
		bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
		rm -rf /srv/postgres
		install -d -o postgres -g postgres /srv/postgres
		as="setpriv --reuid postgres --regid postgres --clear-groups"
		traced $as "$bin/initdb" -D /srv/postgres/data -A trust -U postgres --no-sync
		serve $as "$bin/postgres" -D /srv/postgres/data -k /srv/postgres -h 127.0.0.1 -p 25432 &
		server=$!
		answers 25432
		for _ in $(seq 100); do pg_isready -q -h 127.0.0.1 -p 25432 && break; sleep 0.1; done
		options="-h 127.0.0.1 -p 25432 -U postgres postgres"
		pgbench -q -i -s 2 $options
		pgbench -n -c 4 -j 2 -t 1000 $options
		psql $options -c vacuum
		traced pg_dump $options >/srv/dump.sql
		stop $server
	`},
	{name: "go build", least: 5000, script: `
		GOCACHE=$(mktemp -d) && export GOCACHE
		traced go build -o /srv/cwsctl ./src/cmd/cwsctl
		rm -rf "$GOCACHE"
	`},
	{name: "go test", least: 1000, script: `
		traced go test -count=1 ./src/ring
	`},
}

// packages builds two versions of a package that has what packages bring: a setting, a service, a task, an account.
const packages = `
	site=$(mktemp -d /run/packages.XXXXXX)
	chmod 755 "$site"
	for version in 1.0 2.0; do
		tree=$site/$version
		mkdir -p "$tree/DEBIAN" "$tree/etc/cron.d" "$tree/lib/systemd/system" "$tree/usr/bin" "$tree/etc/logrotate.d" "$tree/etc/sudoers.d"
		printf 'Package: ordinary-work\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: nothing\n' $version >"$tree/DEBIAN/control"
		printf '/etc/cron.d/ordinary-work\n/etc/ordinary-work.conf\n' >"$tree/DEBIAN/conffiles"
		echo $version >"$tree/etc/ordinary-work.conf"
		echo '0 5 * * * root true' >"$tree/etc/cron.d/ordinary-work"
		printf '[Service]\nExecStart=/usr/bin/ordinary-work\n' >"$tree/lib/systemd/system/ordinary-work.service"
		printf '#!/bin/sh\n:\n' >"$tree/usr/bin/ordinary-work"
		cp /bin/true "$tree/usr/bin/ordinary-work-id"
		chmod 755 "$tree/usr/bin/ordinary-work"
		chmod 4755 "$tree/usr/bin/ordinary-work-id"
		printf '#!/bin/sh\nset -e\nid ordinary-work 2>/dev/null || useradd --system ordinary-work\nmkdir -p /etc/systemd/system/multi-user.target.wants\nln -sf /lib/systemd/system/ordinary-work.service /etc/systemd/system/multi-user.target.wants/\n' >"$tree/DEBIAN/postinst"
		chmod 755 "$tree/DEBIAN/postinst"
		dpkg-deb --root-owner-group -b "$tree" "$site/ordinary-work_${version}_all.deb"
	done
`
