# shellcheck shell=bash disable=SC2034 source-path=SCRIPTDIR/../../packages/inside
# Read by the others: the installer as users call it, and what the host looks like before and after.
. "$(dirname "$0")/common.sh"
script=/root/test/install.sh
installed=/etc/datadog-agent/system-probe.yaml
export MIRROR=http://127.0.0.1:8000

piped() { bash <"$script"; }
as_argument() { bash -c "$(cat "$script")" install.sh "$@"; }

# tree: every file, and what is in those that programs and configuration are made of.
tree() {
	files | grep -v ' /var/log/ebpfless-install.log '
	find /etc /opt /usr/bin /usr/sbin /usr/lib/systemd -xdev -type f ! -path /etc/ld.so.cache ! -path '/etc/init.d/.depend*' -print0 2>/dev/null | sort -z | xargs -0 md5sum
	rpm -qa 2>/dev/null | sort
}
note() { tree | grep -v ebpfless-install.log >/root/before; }
unchanged() { diff /root/before <(tree | grep -v ebpfless-install.log) >/root/diff || { head -n 12 /root/diff; return 1; }; }

# refused PATTERN COMMAND…: it fails, says why in one line, and the host is as before.
refused() { tells "$@" && unchanged; }

tells() {
	local pattern=$1 said
	shift
	if said=$("$@" 2>&1); then echo "it succeeded: $said"; return 1; fi
	[[ $(wc -l <<<"$said") == 1 ]] || { echo "more than a line: $said"; return 1; }
	grep -q -- "$pattern" <<<"$said" || { echo "another reason: $said"; return 1; }
}

# server FOLDER [MODE]: in the place of the one before.
server() {
	local old port=8000
	[[ ${2:-} != tls ]] || port=8443
	if [[ -e /tmp/server ]]; then
		old=$(cat /tmp/server)
		kill "$old" 2>/dev/null
		soon not kill -0 "$old"
	fi
	setsid python3 /root/test/serve.py "$1" "$port" ${2:+"$2"} >/dev/null 2>&1 &
	echo $! >/tmp/server
	disown
	soon bash -c ": </dev/tcp/127.0.0.1/$port"
}

guide() { [[ $(system-probe config | grep -A 1 ebpfless) == *"enabled: $1"* ]]; }
same_probe() { [[ $(probe) == "$1" ]]; }

# times: of all that an installation writes, in nanoseconds.
times() { find /etc /opt /usr/bin /usr/lib/systemd -xdev -newermt @0 -printf '%p %T@\n' | sort; }

# keeps_secret COMMAND…: while it runs no command line holds the key.
keeps_secret() {
	local status=0 watcher
	printf '%s' "$DD_API_KEY" >/tmp/key
	(while :; do grep -lsaFf /tmp/key /proc/[0-9]*/cmdline && touch /tmp/told; done) >/dev/null 2>&1 &
	watcher=$!
	"$@" || status=$?
	kill "$watcher"
	[[ ! -e /tmp/told ]] && return "$status"
}
