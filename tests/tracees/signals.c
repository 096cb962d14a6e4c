/* Every call that sends a signal, to a child that is told which one to expect. Handlers run, and interrupted calls fail. */
#include "expect.h"
#include <sys/prctl.h>
#include <sys/time.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#define SYS_pidfd_send_signal 424
#endif

static volatile int seen;

static void handler(int signal) { seen = signal; }

static void sent(long r, int signal, pid_t whom)
{
	if (r)
		die("send a signal");
	expect("signal", "signal=%d target=%d retval=0", signal, (int)whom);
	if (seen != signal && whom == getpid())
		die("the handler did not run");
	seen = 0;
}

static void to_myself(void)
{
	struct sigaction action = {.sa_handler = handler};
	siginfo_t info = {.si_code = SI_QUEUE};
	pid_t me = getpid();
	long fd;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGRTMIN + 1, &action, NULL);
	sent(kill(me, SIGUSR1), SIGUSR1, me);
	sent(syscall(SYS_tkill, me, SIGUSR1), SIGUSR1, me);
	sent(syscall(SYS_tgkill, me, me, SIGUSR1), SIGUSR1, me);
	info.si_signo = SIGRTMIN + 1, info.si_pid = me;
	sent(syscall(SYS_rt_sigqueueinfo, me, SIGRTMIN + 1, &info), SIGRTMIN + 1, me);
	sent(syscall(SYS_rt_tgsigqueueinfo, me, me, SIGRTMIN + 1, &info), SIGRTMIN + 1, me);
	fd = syscall(SYS_pidfd_open, me, 0);
	if (fd >= 0) {
		sent(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), SIGUSR1, me);
		close(fd);
	}
	if (kill(me, 0))
		die("kill 0");
	expect("signal", "signal=0 target=%d retval=0", (int)me);
	kill(0x3fffffff, SIGUSR1); /* ESRCH is no event */
}

/* A call that a signal interrupts must fail with EINTR, or be started again, exactly as without a tracer. */
static void interrupted(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	/* again and again, should the first come before the call on a busy machine */
	struct itimerval soon = {.it_value = {0, 100000}, .it_interval = {0, 100000}}, never = {0};
	int ends[2];
	char c;
	long r;

	if (pipe(ends))
		die("pipe");
	sigaction(SIGALRM, &action, NULL);
	if (forked() == 0) {
		sleep(1); /* much later than the signal, on a busy machine too */
		if (write(ends[1], "x", 1) != 1)
			die("write");
		finish(0);
	}
	setitimer(ITIMER_REAL, &soon, NULL);
	r = result(read(ends[0], &c, 1));
	setitimer(ITIMER_REAL, &never, NULL);
	if (r != (flags & SA_RESTART ? 1 : -EINTR)) {
		errno = r < 0 ? -r : 0;
		die("an interrupted read");
	}
	waitpid(-1, NULL, 0);
	close(ends[0]), close(ends[1]);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	to_myself();
	interrupted(0);
	interrupted(SA_RESTART);
	finish(0);
}
