/* File names of any bytes but / and NUL, as long as they may be. */
#include "expect.h"

static const char *const names[] = {
	"new\nline", "\"quotes\"", "'", "back\\slash", "tab\t", "\x01\x02\x7f", "\xff\xfe", "\xc3\xa9\xcc\x81", "\xf0\x9f\x98",
	" ", "%s%n", "-rf", "...", "$(id)", " (deleted)", "gone (deleted)",
};

static void all(const char *name)
{
	a_file(name);
	if (syscall(SYS_fchmodat, AT_FDCWD, name, 0600))
		die("chmod");
	expect("chmod", "path=%s mode=%d retval=0", in(name), 0600);
	expect_open(result(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY, 0)), in(name), O_RDONLY);
	if (syscall(SYS_unlinkat, AT_FDCWD, name, 0))
		die("unlink");
	expect("unlink", "path=%s retval=0", in(name));
}

/* A path as long as the kernel takes, of names as long as a file system takes. */
static void longest(void)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	size_t n = 0;

	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = 0;
	while (strlen(base) + n + 2 * NAME_MAX + 4 < PATH_MAX) {
		n += snprintf(path + n, sizeof path - n, "%s%s", n ? "/" : "", name);
		a_dir(path);
	}
	snprintf(path + n, sizeof path - n, "/file");
	a_file(path);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		all(names[i]);
	longest();
	finish(0);
}
