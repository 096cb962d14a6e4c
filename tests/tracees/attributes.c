/* chmod, chown and utimes in all variants, by name, by descriptor, through links and on links. */
#include "expect.h"
#include <sys/time.h>
#include <time.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static void check(long r, const char *what)
{
	if (r)
		die(what);
}

static int link_and_file(void)
{
	int flags = O_RDWR | O_CREAT;
	long fd = result(syscall(SYS_openat, AT_FDCWD, "f", flags, 0644));

	if (fd < 0)
		die("open");
	expect("open", "path=%s flags=%u retval=%ld", in("f"), flags, fd);
	check(syscall(SYS_symlinkat, "f", AT_FDCWD, "s"), "symlink");
	expect("link", "path=%s destination=%s soft=1 retval=0", in("f"), in("s"));
	return fd;
}

static void moded(const char *name, int mode)
{
	expect("chmod", "path=%s mode=%d inode=%llu retval=0", in(name), mode, inode_of(name));
}

static void modes(int fd)
{
	long r;

#ifdef SYS_chmod
	check(syscall(SYS_chmod, "f", 0600), "chmod");
	moded("f", 0600);
	check(syscall(SYS_chmod, "s", 0601), "chmod");
	moded("f", 0601);
#endif
	check(syscall(SYS_fchmod, fd, 04711), "fchmod");
	moded("f", 04711);
	check(syscall(SYS_fchmodat, AT_FDCWD, "f", 0640), "fchmodat");
	moded("f", 0640);
	r = result(syscall(SYS_fchmodat2, AT_FDCWD, "f", 0644, 0)); /* Linux 6.6 */
	if (r == 0)
		moded("f", 0644);
	if (r == 0 && !result(syscall(SYS_fchmodat2, fd, "", 0645, AT_EMPTY_PATH)))
		moded("f", 0645);
}

static void owned(const char *name, int uid, int gid)
{
	expect("chown", "path=%s uid=%d gid=%d inode=%llu retval=0", in(name), uid, gid, inode_of(name));
}

static void owners(int fd)
{
	int uid = getuid() ? (int)getuid() : 12345, gid = getgid() ? (int)getgid() : 54321;
	int narrow = 1; /* on i386 these take ids of 16 bits, and are not in every kernel */

#ifdef SYS_chown
	if (syscall(SYS_chown, "f", -1, -1) && errno == ENOSYS) {
		narrow = 0;
		skip("the kernel was built without CONFIG_UID16: no chown(2) of 16 bits");
	} else {
		owned("f", -1, -1);
		check(syscall(SYS_chown, "f", uid, gid), "chown");
		owned("f", uid, gid);
		check(syscall(SYS_chown, "s", -1, gid), "chown");
		owned("f", -1, gid);
		check(syscall(SYS_lchown, "s", uid, -1), "lchown");
		owned("s", uid, -1);
	}
#endif
#ifdef SYS_chown32
	check(syscall(SYS_chown32, "f", uid, gid), "chown32");
	owned("f", uid, gid);
	check(syscall(SYS_fchown32, fd, uid, -1), "fchown32");
	owned("f", uid, -1);
	check(syscall(SYS_lchown32, "s", -1, gid), "lchown32");
	owned("s", -1, gid);
#endif
	if (narrow) {
		check(syscall(SYS_fchown, fd, uid, -1), "fchown");
		owned("f", uid, -1);
	}
	check(syscall(SYS_fchownat, AT_FDCWD, "s", uid, gid, 0), "fchownat");
	owned("f", uid, gid);
	check(syscall(SYS_fchownat, AT_FDCWD, "s", uid, gid, AT_SYMLINK_NOFOLLOW), "fchownat");
	owned("s", uid, gid);
	check(syscall(SYS_fchownat, fd, "", uid, gid, AT_EMPTY_PATH), "fchownat");
	owned("f", uid, gid);
}

static void timed(const char *name, unsigned long long atime, unsigned long long mtime)
{
	expect("utimes", "path=%s atime=%llu mtime=%llu retval=0", in(name), atime, mtime);
}

static void times(int fd)
{
	struct timespec ns[2] = {{1000, 1}, {2000, 2}}, omit[2] = {{0, UTIME_OMIT}, {3000, 3}};
#ifdef SYS_utime
	struct utimbuf s = {4000, 5000};
	struct timeval us[2] = {{6000, 6}, {7000, 7}};

	check(syscall(SYS_utime, "f", &s), "utime");
	timed("f", 4000000000000ull, 5000000000000ull);
	check(syscall(SYS_utimes, "s", us), "utimes");
	timed("f", 6000000006000ull, 7000000007000ull);
	check(syscall(SYS_futimesat, AT_FDCWD, "f", us), "futimesat");
	timed("f", 6000000006000ull, 7000000007000ull);
	check(syscall(SYS_utimes, "f", NULL), "utimes");
	expect("utimes", "path=%s retval=0", in("f"));
#endif
	check(syscall(SYS_utimensat, AT_FDCWD, "f", ns, 0), "utimensat");
	timed("f", 1000000000001ull, 2000000000002ull);
	check(syscall(SYS_utimensat, AT_FDCWD, "s", ns, AT_SYMLINK_NOFOLLOW), "utimensat");
	timed("s", 1000000000001ull, 2000000000002ull);
	check(syscall(SYS_utimensat, fd, NULL, omit, 0), "utimensat");
	timed("f", 0, 3000000000003ull);
#ifdef SYS_utimensat_time64
	long long wide[4] = {8000, 8, 9000, 9};
	long r = result(syscall(SYS_utimensat_time64, AT_FDCWD, "f", wide, 0)); /* Linux 5.1 */
	if (r == 0)
		timed("f", 8000000000008ull, 9000000000009ull);
	else if (r != -ENOSYS)
		die("utimensat_time64");
#endif
}

int main(int argc, char **argv)
{
	int fd;

	begin(argc, argv);
	fd = link_and_file();
	modes(fd);
	owners(fd);
	times(fd);
	close(fd);
	finish(0);
}
