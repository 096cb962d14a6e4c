/* chroot, mount namespaces, mounts and pivot_root: paths are those of the process's own root. Needs root. */
#include "expect.h"
#include <sys/mount.h>

static void within(void)
{
	a_dir("jail");
	a_dir("jail/etc");
	if (chroot("jail") || chdir("/"))
		die("chroot");
	expect("chdir", "path=\"/\" retval=0");
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "etc/x", O_WRONLY | O_CREAT, 0600)), "\"/etc/x\"", O_WRONLY | O_CREAT);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "/../etc/x", O_RDONLY, 0)), "\"/etc/x\"", O_RDONLY);
	if (syscall(SYS_unlinkat, AT_FDCWD, "/etc/x", 0))
		die("unlink");
	expect("unlink", "path=\"/etc/x\" retval=0");
	if (syscall(SYS_mkdirat, AT_FDCWD, "/d", 0700))
		die("mkdir");
	expect("mkdir", "path=\"/d\" mode=%d retval=0", 0700);
}

static void mounted(const char *source, const char *told, const char *target, const char *type, unsigned long flags, const char *told_type)
{
	if (mount(source, target, type, flags, NULL))
		die("mount");
	expect("mount", "source=%s target=%s fstype=%s retval=0", told, *target == '/' ? quoted(target) : in(target), quoted(told_type));
}

static void unmounted(const char *target, int flags)
{
	if (umount2(target, flags))
		die("umount2");
	expect("umount", "target=%s retval=0", *target == '/' ? quoted(target) : in(target));
}

static void in_namespace(void)
{
	if (unshare(CLONE_NEWNS))
		die("unshare");
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("mount");
	expect("mount", "source=none target=\"/\" retval=0");
	a_dir("m");
	a_dir("b");
	mounted("scratch", "scratch", "m", "tmpfs", 0, "tmpfs");
	a_file("m/f");
	mounted("m", in("m"), "b", NULL, MS_BIND, "bind");
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "b/f", O_RDONLY, 0)), in("b/f"), O_RDONLY);
	unmounted("b", 0);
	umount2("b", 0); /* EINVAL: nothing is mounted there any more */
	a_dir("m/old");
	if (chdir("m"))
		die("chdir");
	expect("chdir", "path=%s retval=0", in("m"));
	if (syscall(SYS_pivot_root, ".", "old")) {
		if (errno != EINVAL)
			die("pivot_root");
		return skip("no pivot_root(2) out of an initramfs");
	}
	if (chdir("/"))
		die("chdir");
	expect("chdir", "path=\"/\" retval=0");
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "/f", O_RDONLY, 0)), "\"/f\"", O_RDONLY);
	unmounted("/old", MNT_DETACH);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "f", O_RDWR, 0)), "\"/f\"", O_RDWR);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "g", O_RDWR | O_CREAT, 0600)), "\"/g\"", O_RDWR | O_CREAT);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	if (geteuid()) {
		skip("needs root, for chroot and mount");
		finish(0);
	}
	in_child(within);
	in_child(in_namespace);
	finish(0);
}
