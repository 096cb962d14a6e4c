/*
 * A process that traces its own child. Nobody can have two tracers, so under a tracer it gets EPERM, as it would under
 * strace; it must get nothing worse, and go on. Without a tracer it succeeds. Both count as success here.
 */
#include "expect.h"
#include <sys/ptrace.h>

static void traced_by_parent(void)
{
	long r = result(syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0));

	if (r && r != -EPERM)
		die("PTRACE_TRACEME");
	expect("ptrace", "request=%d retval=%ld", PTRACE_TRACEME, r);
}

int main(int argc, char **argv)
{
	pid_t child;
	long r;

	begin(argc, argv);
	in_child(traced_by_parent);
	child = idle();
	r = result(syscall(SYS_ptrace, PTRACE_SEIZE, child, 0, 0));
	if (r && r != -EPERM)
		die("PTRACE_SEIZE");
	expect("ptrace", "request=%d target=%d retval=%ld", PTRACE_SEIZE, (int)child, r);
	if (kill(child, SIGKILL))
		die("kill");
	expect("signal", "signal=%d target=%d retval=0", SIGKILL, (int)child);
	reap(child);
	finish(0);
}
