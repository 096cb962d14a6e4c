/* Job control under a tracer: a stopped process is seen as stopped by its parent, and goes on at SIGCONT. */
#include "expect.h"
#include <poll.h>

static void signalled(pid_t whom, int signal)
{
	if (kill(whom, signal))
		die("kill");
	expect("signal", "signal=%d target=%d retval=0", signal, (int)whom);
}

static void waited(pid_t child, int options, int (*is)(int), const char *what)
{
	int status;

	if (waitpid(child, &status, options) != child || !is(status)) {
		errno = EPROTO;
		die(what);
	}
}

static int is_stopped(int s) { return WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP; }
static int is_continued(int s) { return WIFCONTINUED(s); }

static void stops_itself(void)
{
	signalled(getpid(), SIGSTOP);
	a_file("after");
}

static void continued_by_parent(void)
{
	int ends[2];
	pid_t child;
	char c;

	if (pipe(ends))
		die("pipe");
	child = forked();
	if (child == 0) {
		stops_itself();
		/* Whoever has ended is no longer seen as continued. */
		if (read(ends[0], &c, 1) != 1)
			die("read");
		finish(0);
	}
	waited(child, WUNTRACED, is_stopped, "wait for the stop");
	signalled(child, SIGCONT);
	waited(child, WCONTINUED, is_continued, "wait for the continuation");
	if (write(ends[1], "x", 1) != 1)
		die("write");
	reap(child);
}

static void continued_by_child(void)
{
	pid_t parent = getpid(), child;
	int ends[2];

	if (pipe(ends))
		die("pipe");
	child = forked();
	if (child == 0) {
		struct pollfd end = {.fd = ends[0], .events = POLLIN};

		/* One that comes before the stop is lost. */
		do {
			usleep(100000);
			signalled(parent, SIGCONT);
		} while (poll(&end, 1, 100) == 0);
		finish(0);
	}
	stops_itself();
	if (write(ends[1], "x", 1) != 1)
		die("write");
	reap(child);
}

static void killed_while_stopped(void)
{
	pid_t child = forked();

	if (child == 0) {
		raise(SIGSTOP);
		finish(97);
	}
	waited(child, WUNTRACED, is_stopped, "wait for the stop");
	/* The call has returned to the kernel's exit, though never to the child. */
	expect_of(child, "signal", "signal=%d target=%d retval=0", SIGSTOP, (int)child);
	signalled(child, SIGKILL);
	reap(child);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	continued_by_parent();
	in_child(continued_by_child);
	killed_while_stopped();
	finish(0);
}
