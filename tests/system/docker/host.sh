#!/bin/bash
# shellcheck disable=SC2154 # run sets here
# Read by run: a Debian with the engine and the images, booted in a virtual machine.

host() {
	local kernel root=$TESTBED/host share=$TESTBED/share
	sources
	check "the README's docker build" readme
	application_image
	mkdir "$share"
	docker save -o "$share/images.tar" ebpfless app
	docker stop
	cp "$here"/{inside,common,guide,groups}.sh "$share"
	systemd-container create host docker.io iptables apparmor kmod
	kernel=$(debian-kernel "$TESTBED/kernel")
	cp -r "$TESTBED/kernel/lib/modules" "$root/usr/lib"
	chroot "$root" depmod "${kernel##*vmlinuz-}"
	vm-host image "$root" "$root.img"
	vm-host boot host "$kernel" "$root.img" -d "$share" -m 2048
	LIMIT=1500 vm-host exec host bash /mnt/inside.sh || failures=$((failures + 1))
}
