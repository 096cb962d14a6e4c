#!/bin/bash
# shellcheck disable=SC2317,SC2154 # functions are called by check; run sets top and here
# Read by run: packages in a root where no init runs, as when an image is built.

listing() { (cd "$1" && find . -path ./var/lib/dpkg -prune -o -path ./var/lib/rpm -prune -o -path ./var/lib/systemd -prune -o -path ./var/log -prune -o -path ./var/cache -prune -o -path ./tmp -prune -o -printf '%p %y %m %l\n' | grep -v '^\./opt d ' | sort); }

# idle ROOT: no process lives there.
idle() { [[ -z $(find /proc/[0-9]*/root -lname "$1" 2>/dev/null) ]]; }

# in_chroot ROOT deb|rpm
in_chroot() {
	local root=$1 purge
	listing "$root" >"$TESTBED/before"
	case $2 in
	deb)
		cp "$TESTBED"/one/dist/cws-{instrumentation,probe,services}_1.0.0-1_amd64.deb "$root/tmp"
		check "no init: the packages install" chroot "$root" sh -c 'dpkg -i /tmp/*.deb'
		purge=(dpkg --purge)
		;;
	rpm)
		cp "$TESTBED"/one/dist/cws-{instrumentation,probe,services}-1.0.0-1.x86_64.rpm "$root/tmp"
		check "no init: the packages install" chroot "$root" sh -c 'rpm --nosignature -i /tmp/*.rpm'
		purge=(rpm -e)
		;;
	esac
	check "no init: nothing is started" idle "$root"
	check "no init: the probe will start at boot" boots "$root"
	check "no init: they go again" chroot "$root" "${purge[@]}" cws-instrumentation cws-probe cws-services
	rm -f "$root"/tmp/*.deb "$root"/tmp/*.rpm
	listing "$root" >"$TESTBED/after"
	check "no init: nothing is left behind" diff "$TESTBED/before" "$TESTBED/after"
}

boots() { [[ -L $1/etc/systemd/system/multi-user.target.wants/datadog-agent-sysprobe.service ]] || compgen -G "$1/etc/rc2.d/S*datadog-agent-sysprobe" >/dev/null; }
