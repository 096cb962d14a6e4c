/* Kernel modules, without ever loading one: root's garbage fails and is no event, nobody's attempts are refused. */
#include "expect.h"

static const char garbage[] = "not a module at all, just enough bytes for one";

static void attempts(void)
{
	int flags = O_RDONLY;
	long fd, r;

	if (geteuid() == 0)
		become_nobody();
	fd = result(syscall(SYS_openat, AT_FDCWD, "toy.ko", flags, 0));
	if (fd < 0)
		die("open");
	expect("open", "path=%s flags=%u retval=%ld", in("toy.ko"), flags, fd);
	r = result(syscall(SYS_init_module, garbage, sizeof garbage, "a=1 b=2"));
	if (happened(r))
		expect("load_module", "memory=1 args=%s retval=%ld", quoted("a=1 b=2"), r);
	r = result(syscall(SYS_finit_module, fd, "c=3", 0));
	if (happened(r))
		expect("load_module", "memory=0 path=%s name=toy args=c=3 retval=%ld", in("toy.ko"), r);
	r = result(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
	if (happened(r))
		expect("unload_module", "name=no_such_module retval=%ld", r);
	close(fd);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	a_file("toy.ko");
	if (geteuid() == 0 && syscall(SYS_init_module, garbage, sizeof garbage, "") == 0)
		die("garbage was loaded");
	in_child(attempts);
	finish(0);
}
