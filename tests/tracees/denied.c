/* What is refused must be told too, with the name asked for. Needs root, to stop being it. */
#include "expect.h"
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/resource.h>

static void refused(long r, const char *kind, const char *path)
{
	if (!happened(r) || r >= 0)
		die(kind);
	expect(kind, "path=%s retval=%ld", path, r);
}

static void as_nobody(void)
{
	struct rlimit64 limit = {1 << 20, 1 << 21};
	struct sockaddr_in low = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	long r;

	become_nobody();
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "secret", O_RDONLY, 0)), in("secret"), O_RDONLY);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "new", O_WRONLY | O_CREAT, 0644)), in("new"), O_WRONLY | O_CREAT);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "locked/x", O_RDONLY, 0)), in("locked/x"), O_RDONLY);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "to-secret", O_RDONLY, 0)), in("secret"), O_RDONLY);
	refused(result(syscall(SYS_unlinkat, AT_FDCWD, "secret", 0)), "unlink", in("secret"));
	refused(result(syscall(SYS_unlinkat, AT_FDCWD, "locked", AT_REMOVEDIR)), "rmdir", in("locked"));
	refused(result(syscall(SYS_mkdirat, AT_FDCWD, "d", 0755)), "mkdir", in("d"));
	refused(result(syscall(SYS_fchmodat, AT_FDCWD, "secret", 0777)), "chmod", in("secret"));
	refused(result(syscall(SYS_fchownat, AT_FDCWD, "secret", 0, 0, 0)), "chown", in("secret"));
	refused(result(syscall(SYS_utimensat, AT_FDCWD, "secret", NULL, 0)), "utimes", in("secret"));
	refused(result(chdir("locked")), "chdir", in("locked"));
#ifdef SYS_renameat
	r = result(syscall(SYS_renameat, AT_FDCWD, "secret", AT_FDCWD, "mine"));
#else
	r = result(syscall(SYS_renameat2, AT_FDCWD, "secret", AT_FDCWD, "mine", 0));
#endif
	expect("rename", "path=%s destination=%s retval=%ld", in("secret"), in("mine"), r);
	r = result(syscall(SYS_symlinkat, "secret", AT_FDCWD, "mine"));
	expect("link", "path=%s destination=%s soft=1 retval=%ld", in("secret"), in("mine"), r);
	r = result(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL));
	if (happened(r))
		expect("setrlimit", "resource=%d cur=%d max=%d retval=%ld", RLIMIT_NOFILE, 1 << 20, 1 << 21, r);
	int fd = socket(AF_INET, SOCK_STREAM, 0); /* of the C library: i386 had only socketcall(2) before Linux 4.3 */
	expect("socket", "domain=%d type=%d protocol=0 retval=%d", AF_INET, SOCK_STREAM, fd);
	r = result(bind(fd, (struct sockaddr *)&low, sizeof low));
	if (happened(r))
		expect("bind", "ip=127.0.0.1 port=1 family=%d retval=%ld", AF_INET, r);
	r = result(setuid(0));
	expect("setuid", "id=0 effective=-1 retval=%ld", r);
	r = result(kill(1, 0));
	expect("signal", "signal=0 target=1 retval=%ld", r);
	/* Not executable for anyone but root: an exec that is refused is no exec event. */
	execl("secret", "secret", NULL);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	if (geteuid()) {
		skip("needs root, to give it up");
		finish(0);
	}
	long fd = result(syscall(SYS_openat, AT_FDCWD, "secret", O_WRONLY | O_CREAT, 0600));
	expect_open(fd, in("secret"), O_WRONLY | O_CREAT);
	if (syscall(SYS_mkdirat, AT_FDCWD, "locked", 0700) || syscall(SYS_symlinkat, "secret", AT_FDCWD, "to-secret"))
		die("prepare");
	expect("mkdir", "path=%s mode=%d retval=0", in("locked"), 0700);
	expect("link", "path=%s destination=%s soft=1 retval=0", in("secret"), in("to-secret"));
	in_child(as_nobody);
	finish(0);
}
