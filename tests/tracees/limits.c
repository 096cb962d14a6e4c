/* Resource limits and prctl(2). Asking is no event. */
#include "expect.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static void limited(void)
{
	struct rlimit64 limit = {64, 128}, old;
	unsigned long narrow[2] = {32, 100};
	pid_t child;

	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, &old))
		die("prlimit");
	expect("setrlimit", "resource=%d cur=64 max=128 target=%d retval=0", RLIMIT_NOFILE, (int)getpid());
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &old);
	if (syscall(SYS_setrlimit, RLIMIT_NOFILE, narrow))
		die("setrlimit");
	expect("setrlimit", "resource=%d cur=32 max=100 target=%d retval=0", RLIMIT_NOFILE, (int)getpid());
	limit.rlim_cur = limit.rlim_max = RLIM64_INFINITY;
	if (!syscall(SYS_prlimit64, 0, RLIMIT_CPU, &limit, NULL))
		expect("setrlimit", "resource=%d cur=%llu max=%llu retval=0", RLIMIT_CPU, ~0ull, ~0ull);
	child = idle();
	limit.rlim_cur = limit.rlim_max = 16;
	if (syscall(SYS_prlimit64, child, RLIMIT_NOFILE, &limit, NULL))
		die("prlimit");
	expect("setrlimit", "resource=%d cur=16 max=16 target=%d retval=0", RLIMIT_NOFILE, (int)child);
	if (kill(child, SIGTERM))
		die("kill");
	expect("signal", "signal=%d target=%d retval=0", SIGTERM, (int)child);
	reap(child);
}

/* Without CAP_SYS_PTRACE not even its tracer may look into a process that isn't dumpable: that it opened is all there is. */
static void undumpable(void)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC;
	long fd = result(syscall(SYS_openat, AT_FDCWD, "while-not-dumpable", flags, 0600));

	if (geteuid() == 0)
		return expect_open(fd, in("while-not-dumpable"), flags);
	expect("open", "flags=%u retval=%ld", flags, fd);
	close(fd);
}

static void controlled(void)
{
	if (prctl(PR_SET_NAME, "new \"name\"\n"))
		die("prctl");
	expect("prctl", "option=%d name=%s retval=0", PR_SET_NAME, quoted("new \"name\"\n"));
	if (prctl(PR_SET_NAME, "a name longer than the kernel keeps"))
		die("prctl");
	expect("prctl", "option=%d name=%s retval=0", PR_SET_NAME, quoted("a name longer t"));
	if (prctl(PR_SET_DUMPABLE, 0))
		die("prctl");
	expect("prctl", "option=%d retval=0", PR_SET_DUMPABLE);
	undumpable();
	if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) /* Linux 3.5 */
		expect("prctl", "option=%d arg2=1 retval=0", PR_SET_NO_NEW_PRIVS);
	else if (errno != EINVAL)
		die("prctl");
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	in_child(limited);
	in_child(controlled);
	finish(0);
}
