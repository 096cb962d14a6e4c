#!/bin/bash
# A fresh Debian with sysvinit, and an apt that knows no signed-by (as it says itself).
# shellcheck disable=SC1091,SC2154
set -uo pipefail
. "$(dirname "$0")/host.sh"
. "$(dirname "$0")/main.sh"
main_path
real=$(command -v dpkg-query)
cat >/usr/local/bin/dpkg-query <<END
#!/bin/sh
case "\$*" in *' apt') echo 'install ok installed 1.0.9.8' ;; *) exec $real "\$@" ;; esac
END
chmod +x /usr/local/bin/dpkg-query
note
server /srv/repo
check "the key is where an old apt looks" bash -c "bash $script && test -e /etc/apt/trusted.gpg.d/ebpfless.gpg && ! grep signed-by /etc/apt/sources.list.d/ebpfless.list"
check "and goes with the rest" bash "$script" --purge
check "nothing is left behind" unchanged
kill "$(cat /tmp/server)"
exit "$((failures > 0))"
