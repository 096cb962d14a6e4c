/* A pid namespace: a process is 1 inside and has another number outside, which is the one to report. Needs root. */
#include "expect.h"

static int inside(void)
{
	int fd = syscall(SYS_openat, AT_FDCWD, "inside", O_WRONLY | O_CREAT, 0600);

	return getpid() == 1 && fd >= 0 ? 3 : 97;
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	begin(argc, argv);
	if (geteuid()) {
		skip("needs root, for a pid namespace");
		finish(0);
	}
	if (unshare(CLONE_NEWPID)) {
		if (errno != EINVAL)
			die("unshare");
		skip("no unshare(2) of pid namespaces, which Linux 3.8 brought");
		finish(0);
	}
	child = fork();
	if (child == 0)
		_exit(inside());
	/* The child doesn't know its number, so its parent speaks for it. */
	if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 3)
		die("child in a pid namespace");
	expect_of(child, "fork", "ppid=%d", (int)getpid());
	expect_of(child, "open", "path=%s flags=%d inode=%llu", in("inside"), O_WRONLY | O_CREAT, inode_of("inside"));
	expect_of(child, "exit", "code=3 cause=exited");
	finish(0);
}
