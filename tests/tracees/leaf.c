/* What other tracees execute: it says that it was executed, and ends with the status given. */
#include "expect.h"

int main(int argc, char **argv)
{
	const char *parent = getenv("TRACEE_SPAWNED_BY");

	/* A child made by posix_spawn(3) or vfork(2) can say nothing before it runs this. */
	if (parent) {
		expect("fork", "ppid=%s", parent);
		unsetenv("TRACEE_SPAWNED_BY");
	}
	begin(argc, argv);
	finish(argc > 1 ? atoi(argv[1]) : 0);
}
