#!/bin/sh
# Runs one act where it can do no harm. Usage, in a new mount namespace whose mounts are private: stage.sh TRACER PROBE USER
# ACTS-PROGRAM, with the scripts in SETUP and ACT of the environment.
set -eu
tracer=$1 probe=$2 user=$3 program=$4

# shellcheck source=/dev/null
. "$(dirname "$0")/../stage/layers.sh"
mkdir /run/stage
printf '%s' "$SETUP" >/run/stage/setup
printf '%s' "$ACT" >/run/stage/act
install -m 755 "$program" /usr/local/bin/act
install -m 755 "$tracer" /run/stage/tracer
mount -t tmpfs -o mode=1777 tmp /tmp # empty: what others left there is in the way of what is made there
unset SETUP ACT
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
cd /srv
sh -eu /run/stage/setup
if [ "$user" = nobody ]; then
	exec /run/stage/tracer trace --probe-addr "$probe" --uid 65534 --gid 65534 -- sh -eu /run/stage/act
fi
exec /run/stage/tracer trace --probe-addr "$probe" -- sh -eu /run/stage/act
