/*
 * While one thread opens a file, another rewrites the name in memory, or swaps what the name stands for. Every event must
 * name what was really opened: the program knows by the inode behind the descriptor.
 */
#include "expect.h"
#include <linux/fs.h>
#include <pthread.h>

enum { ROUNDS = 2000 };

static char name[2] = "A";
static volatile int stop;
static long swaps;

static void *rewrites(void *unused)
{
	(void)unused;
	while (!stop)
		*(volatile char *)name ^= 'A' ^ 'B';
	return NULL;
}

static void *swaps_links(void *unused)
{
	(void)unused;
	while (!stop && !syscall(SYS_renameat2, AT_FDCWD, "left", AT_FDCWD, "right", RENAME_EXCHANGE))
		swaps++;
	return NULL;
}

static void opens(const char *path, const char *a, const char *b)
{
	unsigned long long inode_a = inode_of(a), inode_b = inode_of(b);
	long of_a = 0, of_b = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct stat64 s;
		long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR, 0);

		if (fd < 0 || fstat64(fd, &s))
			die("open");
		close(fd);
		if (s.st_ino == inode_a)
			of_a++;
		else if (s.st_ino == inode_b)
			of_b++;
	}
	stop = 1;
	count(of_a, "open", "path=%s flags=%d inode=%llu", in(a), O_RDWR, inode_a);
	count(of_b, "open", "path=%s flags=%d inode=%llu", in(b), O_RDWR, inode_b);
}

static void against(void *(*other)(void *), const char *path, const char *a, const char *b)
{
	pthread_t thread;

	stop = 0;
	if (pthread_create(&thread, NULL, other, NULL))
		die("pthread_create");
	opens(path, a, b);
	pthread_join(thread, NULL);
}

static void memory(void) { against(rewrites, name, "A", "B"); }

static void links(void)
{
	if (syscall(SYS_symlinkat, "C", AT_FDCWD, "left") || syscall(SYS_symlinkat, "D", AT_FDCWD, "right"))
		die("symlink");
	expect("link", "path=%s destination=%s soft=1 retval=0", in("C"), in("left"));
	expect("link", "path=%s destination=%s soft=1 retval=0", in("D"), in("right"));
	against(swaps_links, "left", "C", "D");
	count(swaps, "rename", "path=%s destination=%s retval=0", in("left"), in("right"));
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	a_file("A"), a_file("B"), a_file("C"), a_file("D");
	in_child(memory);
	in_child(links);
	finish(0);
}
