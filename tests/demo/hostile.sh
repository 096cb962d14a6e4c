#!/bin/sh
# Does a dozen things that an intruder would do, and harms nothing: what would change the system happens in a mount
# namespace of its own, below an empty /etc and /var/log, and what would leave the machine in a network namespace.
# Usage: hostile.sh DIR, an empty folder below /tmp.
dir=$1
cd "$dir" || exit 1

act() {
	printf '%s\n' "- $*"
}

act "executes a program from /tmp"
cp /bin/true "$dir/updater" && "$dir/updater"

act "executes a program that is no file"
perl -e '
	my $name = "payload";
	my $fd = syscall(319, $name, 0);
	open(my $in, "<", "/bin/true") or die; binmode $in;
	open(my $out, ">&=", $fd) or die; binmode $out;
	local $/; my $program = <$in>; syswrite $out, $program;
	exec "/proc/self/fd/$fd" or die;
' 2>/dev/null

act "starts a shell from a web server"
cp /bin/sh "$dir/nginx" && "$dir/nginx" -c '/bin/sh -c id >/dev/null; :'

act "reads the password hashes"
cat /etc/shadow >/dev/null 2>&1

act "adds a key that may log in"
mkdir -p "$dir/home/.ssh" && echo 'ssh-ed25519 AAAA intruder' >>"$dir/home/.ssh/authorized_keys"

act "gives a program the set-user-id bit"
chmod 4755 "$dir/updater"

act "deletes a shell's history"
: >"$dir/home/.bash_history" && rm "$dir/home/.bash_history"

act "makes itself root again"
perl -e '$< = 65534; $< = 0;' 2>/dev/null

act "loads a kernel module from memory"
# shellcheck disable=SC2016 # the variables are perl's
module='my ($image, $options) = ("module", ""); syscall(175, $image, 6, $options)'
setpriv --reuid 65534 --clear-groups perl -e "$module" 2>/dev/null || perl -e "$module"

act "takes hold of another process"
sleep 1 &
perl -e 'syscall(101, 16, $ARGV[0] + 0, 0, 0)' $!

unshare --mount --net sh -c '
	mount -t tmpfs none /etc && mount -t tmpfs none /var/log && mkdir /etc/cron.d || exit 1
	echo "- adds an account"; echo "toor::0:0::/:/bin/sh" >>/etc/passwd
	echo "- adds a task for cron"; echo "* * * * * root /tmp/updater" >/etc/cron.d/update
	echo "- has every program load a library"; : >/etc/ld.so.preload
	echo "- deletes a log"; : >/var/log/auth.log; rm /var/log/auth.log
	command -v ip >/dev/null || exit 0
	echo "- asks the cloud for credentials"
	ip address add 169.254.169.254/32 dev lo && ip link set lo up
	perl -MSocket -e "socket(S, PF_INET, SOCK_STREAM, 6); connect(S, sockaddr_in(80, inet_aton(\"169.254.169.254\")))"
' 2>/dev/null || act "(the rest needs root)"
wait
exit 0
