#!/bin/bash
# Runs inside an installed machine with sysvinit: host install|protected|unwrap. The packages lie in /mnt.
set -euo pipefail
detections=/var/log/datadog/runtime-security.json

die() {
	echo "FAILED $*"
	exit 1
}

soon() {
	local tries=150
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		((tries > 0)) || die "$*: not within 30 s"
		sleep 0.2
	done
}

tracer() { awk '/^TracerPid/ {print $2}' "/proc/$(cat /run/nginx.pid)/status"; }
traced() { [[ $(tracer) != 0 ]]; }
plain() { [[ $(tracer) == 0 ]]; }

# page PATH: the web server's answer
page() {
	exec 3<>/dev/tcp/127.0.0.1/80
	printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
	cat <&3
}
serves() { page / | grep -q '^HTTP/1.1 200'; }

# detect: the web server is made to read /etc/shadow, and that is told
detect() {
	local before
	before=$(grep -c password_hashes_read "$detections" || true)
	page /evil >/dev/null
	# shellcheck disable=SC2317 # called by soon
	hit() { [[ $(grep -c password_hashes_read "$detections") -gt $before ]]; }
	soon hit
	echo "OK a detection"
}

install() {
	dpkg -i /mnt/*.deb >/tmp/dpkg.log 2>&1 || die "dpkg: $(tail -n 5 /tmp/dpkg.log)"
	echo "OK the packages are installed"
	soon system-probe status
	soon serves
	cwsctl wrap nginx
}

protected() {
	soon system-probe status
	soon serves
	soon traced
	echo "OK nginx is wrapped, on Linux $(uname -r)"
	detect
}

unwrap() {
	cwsctl unwrap nginx
	soon serves
	plain || die "nginx is still traced"
	echo "OK nginx is as before"
}

"$1"
