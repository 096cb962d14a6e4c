#!/bin/sh
# Runs one act where it can do no harm: in a mount namespace of its own, whose writable folders are layers in memory over
# the machine's. Usage, in a new mount namespace whose mounts are private: stage.sh TRACER PROBE USER ACTS-PROGRAM, with
# the scripts in SETUP and ACT of the environment.
set -eu
tracer=$1 probe=$2 user=$3 program=$4

layers=/mnt # exists everywhere
mount -t tmpfs -o mode=755 layers "$layers"
for dir in boot etc home opt root srv tmp usr var; do
	mkdir "$layers/$dir" "$layers/$dir.work"
	chmod --reference="/$dir" "$layers/$dir"
	mount -t overlay -o "lowerdir=/$dir,upperdir=$layers/$dir,workdir=$layers/$dir.work" overlay "/$dir"
done
mount -t tmpfs -o mode=755 run /run
mount -t tmpfs -o mode=1777 shm /dev/shm

mkdir /run/stage
printf '%s' "$SETUP" >/run/stage/setup
printf '%s' "$ACT" >/run/stage/act
install -m 755 "$program" /usr/local/bin/act
unset SETUP ACT
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
cd /srv
sh -eu /run/stage/setup
if [ "$user" = nobody ]; then
	exec "$tracer" trace --probe-addr "$probe" --uid 65534 --gid 65534 -- sh -eu /run/stage/act
fi
exec "$tracer" trace --probe-addr "$probe" -- sh -eu /run/stage/act
