/* A daemon as of old (fork, setsid, fork), and processes that outlive the one that was started first. */
#include "expect.h"

static void a_daemon(void)
{
	pid_t second;

	if (setsid() < 0)
		die("setsid");
	second = forked();
	if (second > 0)
		finish(0);
	usleep(200000);
	a_file("by-daemon");
	if (forked() == 0) {
		usleep(200000);
		a_file("by-daemons-child");
		execl(beside("leaf"), "leaf", "9", NULL);
		die("exec leaf");
	}
	finish(2);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	in_child(a_daemon);
	finish(0);
}
