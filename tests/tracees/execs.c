/* Executions out of the ordinary: scripts, links, memory, a descriptor, a megabyte of arguments, names of any bytes. */
#include "expect.h"
#include <sys/mman.h>

#define ODD "odd\n\"name\" \xff\xfe\\"

extern char **environ;

static void script(void)
{
	char text[PATH_MAX + 32];
	int flags = O_WRONLY | O_CREAT;
	long fd = result(syscall(SYS_openat, AT_FDCWD, "script", flags, 0755));

	if (fd < 0 || write(fd, text, snprintf(text, sizeof text, "#!%s 11\n", beside("leaf"))) < 0)
		die("script");
	expect_open(fd, in("script"), flags);
	execl("./script", "script", "argument", NULL);
	die("exec script");
}

static void link_to_it(void)
{
	if (syscall(SYS_symlinkat, beside("leaf"), AT_FDCWD, "link"))
		die("symlink");
	expect("link", "path=%s destination=%s soft=1 retval=0", quoted(beside("leaf")), in("link"));
	execl("link", "another name", NULL);
	die("exec link");
}

static void from_memory(void)
{
	static char block[64 << 10];
	long memory = result(syscall(SYS_memfd_create, "code", 0)), source;
	char *argv[] = {"from memory", "12", NULL};
	ssize_t n;

	if (memory == -ENOSYS)
		return skip("no memfd_create(2), which Linux 3.17 brought");
	if (memory < 0)
		die("memfd_create");
	expect("open", "path=memfd:code flags=0 retval=%ld", memory);
	source = result(syscall(SYS_openat, AT_FDCWD, beside("leaf"), O_RDONLY, 0));
	while ((n = read(source, block, sizeof block)) > 0)
		if (write(memory, block, n) != n)
			die("write");
	expect_open(source, quoted(beside("leaf")), O_RDONLY);
	syscall(SYS_execveat, memory, "", argv, environ, AT_EMPTY_PATH);
	die("execveat");
}

static void by_descriptor(void)
{
	char *argv[] = {"by descriptor", "13", NULL};
	long fd;

	if (syscall(SYS_execveat, -1, "", argv, environ, 0) && errno == ENOSYS)
		return skip("no execveat(2), which Linux 3.19 brought");
	fd = result(syscall(SYS_openat, AT_FDCWD, beside("leaf"), O_PATH | O_CLOEXEC, 0));
	expect("open", "path=%s flags=%u retval=%ld", quoted(beside("leaf")), O_PATH | O_CLOEXEC, fd);
	syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
	die("execveat");
}

/* Eight strings of 128 KiB, the longest that Linux takes. */
static void with_long_arguments(void)
{
	static char text[128 << 10];
	char *argv[10] = {"leaf"};

	memset(text, 'x', sizeof text - 1);
	for (int i = 1; i < 9; i++)
		argv[i] = text;
	argv[1] = "14";
	execv(beside("leaf"), argv);
	die("exec with a megabyte");
}

static void with_many_arguments(void)
{
	static char *argv[20001] = {"leaf", "15"};

	for (int i = 2; i < 20000; i++)
		argv[i] = "argument";
	execv(beside("leaf"), argv);
	die("exec with 20000 arguments");
}

static void with_odd_name(void)
{
	copy(beside("leaf"), ODD);
	execl(ODD, ODD, "16", NULL);
	die("exec odd name");
}

static void without_arguments(void)
{
	char *none[] = {"", NULL};

	execve(beside("leaf"), none, none + 1);
	die("exec without arguments");
}

/* Attempts that fail in other ways than refusal are no events, and the process goes on as it was. */
static void fails(void)
{
	execl("absent", "absent", NULL);
	a_file("not-executable");
	execl("not-executable", "not-executable", NULL);
	if (syscall(SYS_fchmodat, AT_FDCWD, "not-executable", 0755))
		die("chmod");
	expect("chmod", "path=%s mode=%d retval=0", in("not-executable"), 0755);
	execl("not-executable", "not-executable", NULL); /* empty: ENOEXEC */
	a_file("afterwards");
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	in_child(script);
	in_child(link_to_it);
	in_child(from_memory);
	in_child(by_descriptor);
	in_child(with_long_arguments);
	in_child(with_many_arguments);
	in_child(with_odd_name);
	in_child(without_arguments);
	in_child(fails);
	finish(0);
}
