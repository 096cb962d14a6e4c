/*
 * How a tracee says what a tracer must report of it; the lines are described in README.md.
 *
 * Every line goes out with one write(2), so that lines of several processes don't mix, and nothing here makes a call
 * that could be an event. Calls go through syscall(2) where the C library would choose another variant than the one
 * that is meant.
 */
#ifndef EXPECT_H
#define EXPECT_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static char base[PATH_MAX]; /* the working directory at the start */

/* Room for the quoted strings of one line. Only one thread of a process prints at a time. */
static char quoted_room[8][4 * 4096 + 3];
static unsigned quoted_next;

/* quoted writes s as a Go string, whatever its bytes. */
__attribute__((unused)) static const char *quoted(const char *s)
{
	char *start = quoted_room[quoted_next++ % 8], *out = start;

	*out++ = '"';
	for (; *s && out < start + sizeof quoted_room[0] - 8; s++) {
		unsigned char c = *s;
		if (c == '"' || c == '\\')
			*out++ = '\\', *out++ = c;
		else if (c < 0x20 || c >= 0x7f)
			out += sprintf(out, "\\x%02x", c);
		else
			*out++ = c;
	}
	*out++ = '"';
	*out = 0;
	return start;
}

/* in gives the quoted absolute path of a name in the working directory of the start. */
__attribute__((unused)) static const char *in(const char *name)
{
	static char path[2 * PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", base, name);
	return quoted(path);
}

static void line(const char *fmt, va_list ap, const char *start)
{
	static char text[64 << 10];
	int n = snprintf(text, sizeof text, "%s", start);

	n += vsnprintf(text + n, sizeof text - n - 1, fmt, ap);
	text[n++] = '\n';
	if (write(1, text, n) != n)
		_exit(99);
}

static void __attribute__((unused, format(printf, 3, 4))) expect_of(pid_t pid, const char *kind, const char *fmt, ...)
{
	char start[128];
	va_list ap;

	snprintf(start, sizeof start, "expect %s pid=%d ", kind, (int)pid);
	va_start(ap, fmt);
	line(fmt, ap, start);
	va_end(ap);
}

#define expect(kind, ...) expect_of(syscall(SYS_getpid), kind, __VA_ARGS__)

static void __attribute__((unused, format(printf, 3, 4))) count(long n, const char *kind, const char *fmt, ...)
{
	char start[128];
	va_list ap;

	snprintf(start, sizeof start, "count %s n=%ld pid=%d ", kind, n, (int)syscall(SYS_getpid));
	va_start(ap, fmt);
	line(fmt, ap, start);
	va_end(ap);
}

/* skip says why a part is not tried; the test shows it. */
static void __attribute__((unused, format(printf, 1, 2))) skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line(fmt, ap, "skip ");
	va_end(ap);
}

/* die ends the program when the machine doesn't do what the program needs: the test fails. */
static void __attribute__((unused, noreturn)) die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	_exit(98);
}

/* result makes of the C library's convention what the kernel returned. */
__attribute__((unused)) static long result(long r) { return r == -1 ? -errno : r; }

/* happened tells whether such a result is reported at all: what succeeded and what was refused. */
__attribute__((unused)) static int happened(long r) { return r >= 0 || r == -EACCES || r == -EPERM; }

/* inode_of doesn't follow links. */
__attribute__((unused)) static unsigned long long inode_of(const char *path)
{
	struct stat64 s;

	return lstat64(path, &s) ? 0 : (unsigned long long)s.st_ino;
}

/*
 * announce says which exec brought the program here. AT_EXECFN is the name given to execve(2): that of the script where
 * there is one.
 */
__attribute__((unused)) static void announce(int argc, char **argv)
{
	static char text[60 << 10], exe[PATH_MAX], name[PATH_MAX];
	const char *path = exe, *given = (const char *)getauxval(AT_EXECFN);
	size_t n = 0;
	ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
	struct stat64 run, called;

	if (length < 0 || !getcwd(base, sizeof base))
		die("begin");
	exe[length] = 0;
	if (!strncmp(exe, "/memfd:", 7)) {
		path = exe + 1;
		exe[strcspn(exe, " ")] = 0;
	} else if (given && !stat64(given, &called) && !stat64("/proc/self/exe", &run) &&
		   (called.st_ino != run.st_ino || called.st_dev != run.st_dev) && realpath(given, name)) {
		path = name;
	}
	for (int i = 0; i < argc && n < sizeof text - 4096; i++) {
		if (strlen(argv[i]) > 200 || i > 200) {
			n += sprintf(text + n, " truncated=1");
			break;
		}
		n += sprintf(text + n, " arg=%s", quoted(argv[i]));
	}
	expect("exec", "path=%s uid=%d euid=%d gid=%d egid=%d%s", quoted(path), (int)getuid(), (int)geteuid(), (int)getgid(),
	       (int)getegid(), text);
}

/* await waits for a byte when TRACEE_WAIT is in the environment, so that a tracer can attach meanwhile. */
__attribute__((unused)) static void await(void)
{
	char c;

	if (!getenv("TRACEE_WAIT"))
		return;
	unsetenv("TRACEE_WAIT");
	if (read(0, &c, 1) != 1)
		die("wait for the test to say go");
}

__attribute__((unused)) static void begin(int argc, char **argv)
{
	announce(argc, argv);
	await();
}

/* finish ends the process and says so. */
static void __attribute__((unused, noreturn)) finish(int code)
{
	expect("exit", "code=%d cause=exited", code);
	_exit(code);
}

/* forked is fork(2); the child says what it is, because its own lines follow. */
__attribute__((unused)) static pid_t forked(void)
{
	pid_t parent = syscall(SYS_getpid), child = fork();

	if (child < 0)
		die("fork");
	if (child == 0)
		expect("fork", "ppid=%d", (int)parent);
	return child;
}

/* reap waits for a child and says how it died if it was killed. A child that failed fails its parent. */
__attribute__((unused)) static int reap(pid_t child)
{
	int status;

	if (waitpid(child, &status, __WALL) != child)
		die("waitpid");
	if (WIFSIGNALED(status))
		expect_of(child, "exit", "code=%d cause=%s", WTERMSIG(status), WCOREDUMP(status) ? "dumped" : "signaled");
	else if (WEXITSTATUS(status) >= 90)
		_exit(WEXITSTATUS(status));
	return status;
}

/* idle makes a child that waits to be killed. It comes back when the child has said what it is, or it never would. */
__attribute__((unused)) static pid_t idle(void)
{
	int ends[2];
	pid_t child;
	char c;

	if (pipe(ends))
		die("pipe");
	child = forked();
	if (child == 0) {
		if (write(ends[1], "x", 1) != 1)
			die("write");
		for (;;)
			pause();
	}
	if (read(ends[0], &c, 1) != 1)
		die("read");
	close(ends[0]), close(ends[1]);
	return child;
}

/* in_child runs a part in a process of its own. */
__attribute__((unused)) static void in_child(void (*part)(void))
{
	pid_t child = forked();

	if (child == 0) {
		part();
		finish(0);
	}
	reap(child);
}

/* become_nobody gives up root, and says so. */
__attribute__((unused)) static void become_nobody(void)
{
	if (setgroups(0, NULL))
		die("setgroups");
	if (setgid(NOBODY) || setuid(NOBODY))
		die("setuid");
	expect("setgid", "id=%d effective=-1 retval=0", NOBODY);
	expect("setuid", "id=%d effective=-1 retval=0", NOBODY);
}

/* expect_open says what an open opened, by its descriptor, and closes that. */
__attribute__((unused)) static void expect_open(long r, const char *path, int flags)
{
	struct stat64 s;

	if (r >= 0) {
		if (fstat64(r, &s))
			die("fstat");
		expect("open", "path=%s flags=%u inode=%llu retval=%ld", path, flags, (unsigned long long)s.st_ino, r);
		close(r);
	} else if (happened(r)) {
		expect("open", "path=%s flags=%u retval=%ld", path, flags, r);
	} else {
		die("open");
	}
}

/* a_file makes a file by openat, and says so. */
__attribute__((unused)) static void a_file(const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC;

	expect_open(result(syscall(SYS_openat, AT_FDCWD, name, flags, 0644)), in(name), flags);
}

__attribute__((unused)) static void a_dir(const char *name)
{
	if (syscall(SYS_mkdirat, AT_FDCWD, name, 0755))
		die("mkdir");
	expect("mkdir", "path=%s mode=%d retval=0", in(name), 0755);
}

/* directory opens a directory without closing it. */
__attribute__((unused)) static int directory(const char *name, const char *path)
{
	int flags = O_RDONLY | O_DIRECTORY;
	long fd = result(syscall(SYS_openat, AT_FDCWD, name, flags, 0));

	if (fd < 0)
		die(name);
	expect("open", "path=%s flags=%u inode=%llu retval=%ld", path, flags, inode_of(name), fd);
	return fd;
}

/* beside gives the path of another tracee, next to this one's file. */
__attribute__((unused)) static const char *beside(const char *name)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 256);

	if (n < 0)
		die("readlink");
	path[n] = 0;
	strcpy(strrchr(path, '/') + 1, name);
	return path;
}

/* copy makes an executable copy of a file, and says so. */
__attribute__((unused)) static void copy(const char *from, const char *to)
{
	static char block[64 << 10];
	ssize_t n;
	int in_flags = O_RDONLY, out_flags = O_WRONLY | O_CREAT | O_TRUNC;
	long source = result(syscall(SYS_openat, AT_FDCWD, from, in_flags, 0)),
	     target = result(syscall(SYS_openat, AT_FDCWD, to, out_flags, 0755));

	if (source < 0 || target < 0)
		die("copy");
	while ((n = read(source, block, sizeof block)) > 0)
		if (write(target, block, n) != n)
			die("copy");
	expect_open(source, quoted(from), in_flags);
	expect_open(target, in(to), out_flags);
}
#endif
