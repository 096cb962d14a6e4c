/* Every way to make a process, and every way in which one ends. */
#include "expect.h"
#include <spawn.h>
#include <sys/resource.h>

extern char **environ;

static void execs_leaf(void)
{
	execl(beside("leaf"), "leaf", "7", NULL);
	die("exec leaf");
}

static void by_fork(void)
{
	pid_t child = forked();

	if (child == 0)
		execs_leaf();
	if (WEXITSTATUS(reap(child)) != 7)
		die("status of leaf");
}

/* named lets the leaf tell whose child it is. */
static void named(void)
{
	char text[32];

	sprintf(text, "%d", (int)getpid());
	setenv("TRACEE_SPAWNED_BY", text, 1);
}

static void by_vfork(void)
{
	const char *leaf = beside("leaf");
	pid_t child;

	named();
	child = vfork();
	if (child == 0) {
		execl(leaf, "leaf", "3", NULL);
		_exit(98);
	}
	unsetenv("TRACEE_SPAWNED_BY");
	reap(child);
}

static void by_spawn(void)
{
	char *argv[] = {"leaf", "0", NULL};
	pid_t child;

	named();
	if (posix_spawn(&child, beside("leaf"), NULL, NULL, argv, environ))
		die("posix_spawn");
	unsetenv("TRACEE_SPAWNED_BY");
	reap(child);
}

static int cloned(void *parent)
{
	expect("fork", "ppid=%d", (int)(long)parent);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, "shared", O_WRONLY | O_CREAT, 0600)), in("shared"), O_WRONLY | O_CREAT);
	finish(5);
}

/* Memory shared as between threads, but a process of its own; with and without a signal at its end. */
static void by_clone(int flags)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	/* The child shares the C library's state with us, so one of the two must wait: CLONE_VFORK. */
	pid_t child = clone(cloned, stack + sizeof stack, CLONE_VM | CLONE_VFORK | flags, (void *)(long)getpid());

	if (child < 0)
		die("clone");
	reap(child);
}

static void ends_by(int signal)
{
	pid_t child = idle();

	if (kill(child, signal))
		die("kill");
	expect("signal", "signal=%d target=%d retval=0", signal, (int)child);
	reap(child);
}

static void segfaults(void)
{
	pid_t child = forked();

	if (child == 0) {
		*(volatile int *)8 = 1;
		finish(97);
	}
	reap(child);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	by_fork();
	by_vfork();
	by_spawn();
	by_clone(SIGCHLD);
	by_clone(0);
	by_clone(CLONE_FILES | CLONE_FS | SIGCHLD);
	if (syscall(SYS_prlimit64, 0, RLIMIT_CORE, &(struct rlimit64){0, 0}, NULL))
		die("prlimit");
	expect("setrlimit", "resource=%d cur=0 max=0 target=%d retval=0", RLIMIT_CORE, (int)getpid());
	ends_by(SIGTERM);
	ends_by(SIGKILL);
	segfaults();
	finish(42);
}
