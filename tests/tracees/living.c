/* A process that has threads when a tracer attaches: each of them must be followed, in whatever call it sits. */
#include "expect.h"
#include <pthread.h>

enum { THREADS = 24 };

static pthread_barrier_t all;
static int ends[2];
static volatile int go;

static void *lives(void *how)
{
	char c;
	long fd;

	switch ((long)how % 4) {
	case 0: /* in a futex, until the barrier */
		break;
	case 1:
		if (read(ends[0], &c, 1) != 1)
			die("read");
		break;
	case 2:
		while (!go)
			usleep(1000);
		break;
	case 3:
		while (!go)
			; /* in no call at all */
	}
	pthread_barrier_wait(&all);
	fd = syscall(SYS_openat, AT_FDCWD, "f", O_RDONLY, 0);
	if (fd < 0)
		die("open");
	pthread_barrier_wait(&all);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	announce(argc, argv);
	if (pipe(ends))
		die("pipe");
	pthread_barrier_init(&all, NULL, THREADS + 1);
	/* Few that spin: the machine has other things to do. */
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, lives, (void *)(i == 3 ? i : i % 3));
	await();
	a_file("f");
	go = 1;
	if (write(ends[1], "xxxxxxxxxxxxxxxxxxxxxxxx", THREADS) != THREADS)
		die("write");
	pthread_barrier_wait(&all);
	pthread_barrier_wait(&all);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	count(THREADS, "open", "path=%s flags=%d inode=%llu", in("f"), O_RDONLY, inode_of("f"));
	finish(0);
}
