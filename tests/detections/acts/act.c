/* Does what a shell has no word for. Usage: act WHAT [ARG...]; the status is 0 when it was done, and 1 with a message when
 * it was not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed(const char *what)
{
	perror(what);
	return 1;
}

/* memfd PROGRAM NAME: executes a copy of a program that is no file. */
static int anonymous(char **arg)
{
	char buffer[65536], path[32];
	int from = open(arg[0], O_RDONLY), to = memfd_create(arg[1], 0);
	ssize_t n;

	if (from < 0 || to < 0)
		return failed("memfd");
	while ((n = read(from, buffer, sizeof buffer)) > 0)
		if (write(to, buffer, n) != n)
			return failed("write");
	snprintf(path, sizeof path, "/proc/self/fd/%d", to);
	execl(path, arg[1], NULL);
	return failed("exec");
}

/* unlink FILE: deletes it, be it the running program. */
static int removed(char **arg) { return unlink(arg[0]) ? failed("unlink") : 0; }

/* setuid ID: asks for it, whatever the answer. */
static int became(char **arg)
{
	if (syscall(SYS_setuid, atoi(arg[0])))
		perror("setuid");
	return 0;
}

/* capabilities HEX: makes them effective; they must be permitted already. */
static int raised(char **arg)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2];
	unsigned long long mask = strtoull(arg[0], NULL, 16);

	if (syscall(SYS_capget, &header, data))
		return failed("capget");
	data[0].effective = mask & data[0].permitted;
	data[1].effective = mask >> 32 & data[1].permitted;
	return syscall(SYS_capset, &header, data) ? failed("capset") : 0;
}

/* name NAME: calls itself so. */
static int named(char **arg) { return prctl(PR_SET_NAME, arg[0]) ? failed("prctl") : 0; }

/* attach: takes hold of a child that expects nothing; traceme: of one that asks for it. */
static int attached(char **arg)
{
	pid_t child = fork();

	if (child == 0) {
		pause();
		_exit(0);
	}
	(void)arg;
	if (ptrace(PTRACE_ATTACH, child, 0, 0) && errno != EPERM)
		return failed("ptrace");
	kill(child, SIGKILL);
	waitpid(child, NULL, __WALL);
	return 0;
}

static int asked_for(char **arg)
{
	(void)arg;
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) && errno != EPERM)
		return failed("ptrace");
	return 0;
}

/* open FILE [w]: opens it, whatever the answer. */
static int opened(char **arg)
{
	if (open(arg[0], arg[1] ? O_WRONLY : O_RDONLY) < 0)
		perror(arg[0]);
	return 0;
}

/* memory: opens a child's memory; memory self: its own. */
static int looked_into(char **arg)
{
	char path[64] = "/proc/self/mem";
	pid_t child = arg[0] ? 0 : fork();

	if (child == 0 && !arg[0]) {
		pause();
		_exit(0);
	}
	if (child)
		snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
	if (open(path, O_RDWR) < 0)
		return failed(path);
	if (child)
		kill(child, SIGKILL);
	return 0;
}

/* module [FILE]: asks the kernel to load what is no module, from memory or from a file. */
static int loaded(char **arg)
{
	int fd;

	if (!arg[0])
		return syscall(SYS_init_module, "garbage", 7, "") == 0;
	fd = open(arg[0], O_RDONLY);
	if (fd < 0)
		return failed(arg[0]);
	return syscall(SYS_finit_module, fd, "", 0) == 0;
}

static const struct {
	const char *name;
	int args;
	int (*act)(char **arg);
} acts[] = {
	{"memfd", 2, anonymous}, {"unlink", 1, removed}, {"setuid", 1, became}, {"capabilities", 1, raised},
	{"name", 1, named}, {"attach", 0, attached}, {"traceme", 0, asked_for}, {"open", 1, opened},
	{"memory", 0, looked_into}, {"module", 0, loaded},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof acts / sizeof *acts; i++)
		if (strcmp(argv[1], acts[i].name) == 0 && argc - 2 >= acts[i].args)
			return acts[i].act(argv + 2);
	fprintf(stderr, "usage: act WHAT [ARG...]\n");
	return 1;
}
