/* Every call that sets ids, by its own number: on i386 both the 16-bit calls and their successors. Needs root. */
#include "expect.h"
#include <linux/capability.h>

struct call {
	long number;
	const char *kind;
	int arguments;
};

static const struct call calls[] = {
	{SYS_setgid, "setgid", 1},    {SYS_setuid, "setuid", 1},       {SYS_setregid, "setgid", 2},
	{SYS_setreuid, "setuid", 2},  {SYS_setresgid, "setgid", 3},    {SYS_setresuid, "setuid", 3},
	{SYS_setfsgid, "setgid", 0},  {SYS_setfsuid, "setuid", 0},
#ifdef SYS_setuid32
	{SYS_setgid32, "setgid", 1},   {SYS_setuid32, "setuid", 1},     {SYS_setregid32, "setgid", 2},
	{SYS_setreuid32, "setuid", 2}, {SYS_setresgid32, "setgid", 3},  {SYS_setresuid32, "setuid", 3},
	{SYS_setfsgid32, "setgid", 0}, {SYS_setfsuid32, "setuid", 0},
#endif
};

static const struct call *call;

static void take(void)
{
	const int id = 1234, effective = call->arguments > 1 ? 2345 : -1;
	long r = result(syscall(call->number, id, call->arguments > 1 ? effective : -1, -1));

#ifdef SYS_setuid32
	if (r == -ENOSYS && call < &calls[8]) { /* those that take ids of 16 bits */
		skip("the kernel was built without CONFIG_UID16: no call %ld", call->number);
		return;
	}
#endif
	if (r < 0)
		die(call->kind);
	expect(call->kind, "id=%d effective=%d retval=%ld", id, effective, r);
	if (call->arguments == 0)
		syscall(call->number, -1); /* only asks, is no event */
	if (call->arguments > 1 && !syscall(call->number, -1, -1, -1))
		expect(call->kind, "id=-1 effective=-1 retval=0");
}

static void capabilities(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0x21, 0x61, 0}, {0x1, 0x3, 0}};

	if (syscall(SYS_capset, &header, data))
		die("capset");
	expect("capset", "effective=%llu permitted=%llu retval=0", 0x100000021ull, 0x300000061ull);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	if (geteuid()) {
		skip("needs root, to take other ids");
		finish(0);
	}
	for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
		call = &calls[i];
		in_child(take);
	}
	in_child(capabilities);
	finish(0);
}
