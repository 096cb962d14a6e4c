/*
 * Opens files from three threads, starts children and waits for them, for a number of seconds or until SIGTERM. Some of the children
 * execute this program again, with their number. It prints how many did, how many calls it made and how many failed, and ends with 1 if
 * any did.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile double end;
static long calls, failures, programs;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void stop(int signal)
{
	(void)signal;
	end = 0;
}

static void failed(const char *what)
{
	__sync_fetch_and_add(&failures, 1);
	perror(what);
}

static void *opens(void *unused)
{
	(void)unused;
	while (now() < end) {
		int fd = open("/etc/passwd", O_RDONLY);

		__sync_fetch_and_add(&calls, 1);
		if (fd < 0)
			failed("open");
		else
			close(fd);
	}
	return NULL;
}

static void executes(long number)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", number);
	execl("/proc/self/exe", "worker", "number", text, (char *)NULL);
	_exit(8);
}

static void starts_a_child(long number)
{
	int status;
	pid_t child = fork();

	if (child == 0 && number % 10 == 0)
		executes(number / 10);
	if (child == 0)
		_exit(open("/etc/group", O_RDONLY) < 0 ? 9 : 0);
	__sync_fetch_and_add(&calls, 1);
	if (child < 0 || waitpid(child, &status, 0) != child)
		failed("fork");
	else if (status != 0)
		failed("open in a child");
}

int main(int argc, char **argv)
{
	pthread_t threads[2];

	if (argc == 3) /* the second argument is a number */
		return 0;
	signal(SIGTERM, stop);
	end = now() + (argc > 1 ? atof(argv[1]) : 1);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, opens, NULL);
	for (long number = 1; now() < end; number++) {
		starts_a_child(number);
		programs = number / 10;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	printf("%ld programs\n", programs);
	printf("%ld calls, %ld failed\n", calls, failures);
	return failures != 0;
}
