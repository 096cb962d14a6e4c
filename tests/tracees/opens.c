/* Every way to open a file: variants of the call, directories by descriptor, working directory and symbolic link. */
#include "expect.h"
#include <linux/openat2.h>
#include <sys/mman.h>

static void variants(void)
{
	struct open_how how = {.flags = O_RDWR | O_CLOEXEC, .mode = 0};
	long r;
#ifdef SYS_open
	int wc = O_WRONLY | O_CREAT;

	expect_open(result(syscall(SYS_open, "a", wc, 0600)), in("a"), wc);
	expect_open(result(syscall(SYS_creat, "b", 0640)), in("b"), wc | O_TRUNC);
#else
	a_file("a"), a_file("b");
#endif
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "a", O_RDONLY, 0)), in("a"), O_RDONLY);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "./a", O_RDWR | O_APPEND, 0)), in("a"), O_RDWR | O_APPEND);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "a", O_PATH, 0)), in("a"), O_PATH);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY, 0)), quoted(base), O_RDONLY | O_DIRECTORY);
	r = result(syscall(SYS_openat2, AT_FDCWD, "a", &how, sizeof how));
	if (r != -ENOSYS)
		expect_open(r, in("a"), how.flags);
	/* Failures other than refusals are no events. */
	syscall(SYS_openat, AT_FDCWD, "absent", O_RDONLY, 0);
	syscall(SYS_openat, AT_FDCWD, "a/b", O_RDONLY, 0);
	syscall(SYS_openat, AT_FDCWD, "a", O_WRONLY | O_CREAT | O_EXCL, 0600);
	syscall(SYS_openat, AT_FDCWD, (char *)1, O_RDONLY, 0);
	syscall(SYS_openat, 77, "a", O_RDONLY, 0);
}

static void directories(void)
{
	int fd;

	a_dir("d");
	a_dir("d/e");
	a_file("d/e/f");
	if (syscall(SYS_symlinkat, "d/e", AT_FDCWD, "s") || syscall(SYS_symlinkat, "e/f", AT_FDCWD, "d/t"))
		die("symlink");
	expect("link", "path=%s destination=%s soft=1 retval=0", in("d/e"), in("s"));
	expect("link", "path=%s destination=%s soft=1 retval=0", in("d/e/f"), in("d/t"));
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "s/f", O_RDONLY, 0)), in("d/e/f"), O_RDONLY);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "d/t", O_RDONLY, 0)), in("d/e/f"), O_RDONLY);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "s/../e/./f", O_RDONLY, 0)), in("d/e/f"), O_RDONLY);
	fd = directory("d", in("d"));
	expect_open(result(syscall(SYS_openat, fd, "e/f", O_RDONLY, 0)), in("d/e/f"), O_RDONLY);
	expect_open(result(syscall(SYS_openat, fd, "../a", O_RDONLY, 0)), in("a"), O_RDONLY);
	if (chdir("s"))
		die("chdir");
	expect("chdir", "path=%s retval=0", in("d/e"));
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY, 0)), in("d/e/f"), O_RDONLY);
	if (fchdir(fd))
		die("fchdir");
	expect("chdir", "path=%s retval=0", in("d"));
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "t", O_RDONLY, 0)), in("d/e/f"), O_RDONLY);
	if (chdir(".."))
		die("chdir");
	expect("chdir", "path=%s retval=0", quoted(base));
	close(fd);
}

static void nameless(void)
{
	unsigned flags = MFD_CLOEXEC;
	long fd = result(syscall(SYS_memfd_create, "scratch", flags));

	if (fd >= 0) {
		expect("open", "path=%s flags=%u retval=%ld", quoted("memfd:scratch"), flags, fd);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	variants();
	directories();
	nameless();
	finish(0);
}
