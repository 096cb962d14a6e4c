/*
 * Thousands of threads, alive at once, each opening a file; a main thread that ends before the others; and an exec from
 * a thread that isn't the main one, after which the process goes on under the main thread's id.
 */
#include "expect.h"
#include <pthread.h>

enum { THREADS = 2000 };

static pthread_barrier_t all;
static pthread_attr_t small;

static void *opens(void *unused)
{
	long fd;

	(void)unused;
	pthread_barrier_wait(&all);
	fd = syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY, 0);
	if (fd < 0)
		die("open");
	close(fd);
	pthread_barrier_wait(&all);
	return NULL;
}

static void thousands(void)
{
	static pthread_t threads[THREADS];

	a_file("f");
	pthread_barrier_init(&all, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		if ((errno = pthread_create(&threads[i], &small, opens, NULL)))
			die("pthread_create");
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&all);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	count(THREADS, "open", "path=%s flags=%d inode=%llu", in("f"), O_RDONLY, inode_of("f"));
}

static void *outlives(void *unused)
{
	(void)unused;
	usleep(20000); /* the main thread is a zombie by now */
	a_file("later");
	finish(4);
}

static void leader_ends_first(void)
{
	pthread_t thread;

	pthread_create(&thread, &small, outlives, NULL);
	syscall(SYS_exit, 0);
}

static void *execs(void *unused)
{
	(void)unused;
	execl(beside("leaf"), "leaf", "6", NULL);
	die("exec leaf");
}

static void exec_from_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, &small, execs, NULL);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 << 10);
	thousands();
	in_child(leader_ends_first);
	in_child(exec_from_thread);
	finish(0);
}
