/*
 * A program with a seccomp filter of its own, beside the tracer's: the stricter answer wins, so its own errors, signals
 * and deaths must come as without a tracer, and what it allows must still be reported.
 */
#include "expect.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static volatile int trapped;

static void handler(int signal) { trapped = signal; }

/* filtered makes mkdirat answer with the action, and nothing else. */
static void filtered(unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("prctl");
	expect("prctl", "option=%d arg2=1 retval=0", PR_SET_NO_NEW_PRIVS);
	expect("prctl", "option=%d arg2=%d retval=0", PR_SET_SECCOMP, SECCOMP_MODE_FILTER);
}

static void by_error(void)
{
	filtered(SECCOMP_RET_ERRNO | ENOTSUP);
	if (result(syscall(SYS_mkdirat, AT_FDCWD, "d", 0700)) != -ENOTSUP)
		die("the filter's error");
	a_file("by-error");
}

static void by_trap(void)
{
	signal(SIGSYS, handler);
	filtered(SECCOMP_RET_TRAP);
	syscall(SYS_mkdirat, AT_FDCWD, "d", 0700);
	if (trapped != SIGSYS)
		die("no SIGSYS");
	a_file("by-trap");
}

static void by_death(void)
{
	filtered(SECCOMP_RET_KILL);
	a_file("before-death");
	syscall(SYS_mkdirat, AT_FDCWD, "d", 0700);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) && errno != EFAULT) {
		skip("no filters, which Linux 3.5 brought");
		finish(0);
	}
	if (syscall(SYS_prlimit64, 0, 4 /* RLIMIT_CORE */, &(unsigned long long[2]){0, 0}, NULL))
		die("prlimit");
	expect("setrlimit", "resource=4 cur=0 max=0 retval=0");
	in_child(by_error);
	in_child(by_trap);
	in_child(by_death);
	finish(0);
}
