/* A set-user-id program must get its privilege although it is traced, and be told with it. Needs root to be made. */
#include "expect.h"
#include <sys/statvfs.h>

static void as_nobody(void)
{
	become_nobody();
	execl("raised", "raised", NULL);
	die("exec raised");
}

int main(int argc, char **argv)
{
	struct statvfs fs;

	begin(argc, argv);
	if (strstr(argv[0], "raised"))
		finish(geteuid() == 0 && getuid() == NOBODY ? 0 : 96);
	if (geteuid() || statvfs(".", &fs) || fs.f_flag & ST_NOSUID) {
		skip("needs root and a file system that honours set-user-id");
		finish(0);
	}
	copy(beside("privilege"), "raised");
	if (syscall(SYS_fchmodat, AT_FDCWD, "raised", 04755))
		die("chmod");
	expect("chmod", "path=%s mode=%d retval=0", in("raised"), 04755);
	in_child(as_nobody);
	finish(0);
}
