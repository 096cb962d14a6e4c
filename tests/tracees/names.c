/* Calls that make, change and remove names; each name must be told as it was when the call was made. */
#include "expect.h"
#include <linux/fs.h>

static void check(long r, const char *what)
{
	if (r)
		die(what);
}

static void directories(void)
{
	int fd;

#ifdef SYS_mkdir
	check(syscall(SYS_mkdir, "d", 0700), "mkdir");
	expect("mkdir", "path=%s mode=%d retval=0", in("d"), 0700);
#else
	a_dir("d");
#endif
	fd = directory("d", in("d"));
	check(syscall(SYS_mkdirat, fd, "e", 01777), "mkdirat");
	expect("mkdir", "path=%s mode=%d inode=%llu retval=0", in("d/e"), 01777, inode_of("d/e"));
	syscall(SYS_mkdirat, fd, "e", 0755);         /* EEXIST */
	syscall(SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR); /* ENOTEMPTY */
	check(syscall(SYS_unlinkat, fd, "e", AT_REMOVEDIR), "unlinkat");
	expect("rmdir", "path=%s retval=0", in("d/e"));
#ifdef SYS_rmdir
	check(syscall(SYS_rmdir, "d"), "rmdir");
#else
	check(syscall(SYS_unlinkat, AT_FDCWD, "d", AT_REMOVEDIR), "rmdir");
#endif
	expect("rmdir", "path=%s retval=0", in("d"));
	close(fd);
}

static void removals(void)
{
	unsigned long long inode;
	int fd;

	a_file("a");
	inode = inode_of("a");
#ifdef SYS_unlink
	check(syscall(SYS_unlink, "a"), "unlink");
#else
	check(syscall(SYS_unlinkat, AT_FDCWD, "a", 0), "unlink");
#endif
	expect("unlink", "path=%s inode=%llu retval=0", in("a"), inode);
	a_dir("d");
	a_file("d/b");
	check(syscall(SYS_symlinkat, "b", AT_FDCWD, "d/s"), "symlinkat");
	expect("link", "path=%s destination=%s soft=1 retval=0", in("d/b"), in("d/s"));
	fd = directory("d", in("d"));
	/* The link itself goes, not what it points to. */
	inode = inode_of("d/s");
	check(syscall(SYS_unlinkat, fd, "s", 0), "unlinkat");
	expect("unlink", "path=%s inode=%llu retval=0", in("d/s"), inode);
	check(syscall(SYS_unlinkat, fd, "b", 0), "unlinkat");
	expect("unlink", "path=%s retval=0", in("d/b"));
	syscall(SYS_unlinkat, fd, "b", 0); /* ENOENT */
	close(fd);
}

static void renames(void)
{
	int fd;

	a_file("old");
#ifdef SYS_rename
	check(syscall(SYS_rename, "old", "d/new"), "rename");
#else
	check(syscall(SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, "d/new", 0), "rename");
#endif
	expect("rename", "path=%s destination=%s inode=%llu retval=0", in("old"), in("d/new"), inode_of("d/new"));
	fd = directory("d", in("d"));
#ifdef SYS_renameat
	check(syscall(SYS_renameat, fd, "new", AT_FDCWD, "back"), "renameat");
#else
	check(syscall(SYS_renameat2, fd, "new", AT_FDCWD, "back", 0), "renameat");
#endif
	expect("rename", "path=%s destination=%s retval=0", in("d/new"), in("back"));
	a_file("other");
	if (!syscall(SYS_renameat2, AT_FDCWD, "back", AT_FDCWD, "other", RENAME_EXCHANGE))
		expect("rename", "path=%s destination=%s retval=0", in("back"), in("other"));
	syscall(SYS_renameat2, AT_FDCWD, "back", AT_FDCWD, "other", RENAME_NOREPLACE); /* EEXIST */
	close(fd);
}

static void links(void)
{
	int fd = directory("d", in("d"));

	a_file("file");
#ifdef SYS_link
	check(syscall(SYS_link, "file", "d/hard"), "link");
#else
	check(syscall(SYS_linkat, AT_FDCWD, "file", AT_FDCWD, "d/hard", 0), "link");
#endif
	expect("link", "path=%s destination=%s inode=%llu soft=0 retval=0", in("file"), in("d/hard"), inode_of("file"));
	check(syscall(SYS_linkat, fd, "hard", AT_FDCWD, "hard2", 0), "linkat");
	expect("link", "path=%s destination=%s soft=0 retval=0", in("d/hard"), in("hard2"));
#ifdef SYS_symlink
	check(syscall(SYS_symlink, "file", "soft"), "symlink");
#else
	check(syscall(SYS_symlinkat, "file", AT_FDCWD, "soft"), "symlink");
#endif
	expect("link", "path=%s destination=%s soft=1 retval=0", in("file"), in("soft"));
	/* With AT_SYMLINK_FOLLOW the new name is one of the file, without it one of the link. */
	check(syscall(SYS_linkat, AT_FDCWD, "soft", fd, "followed", AT_SYMLINK_FOLLOW), "linkat");
	expect("link", "path=%s destination=%s soft=0 retval=0", in("file"), in("d/followed"));
	check(syscall(SYS_linkat, AT_FDCWD, "soft", fd, "unfollowed", 0), "linkat");
	expect("link", "path=%s destination=%s soft=0 retval=0", in("soft"), in("d/unfollowed"));
	check(syscall(SYS_symlinkat, "/absent/thing", fd, "dangling"), "symlinkat");
	expect("link", "path=%s destination=%s soft=1 retval=0", quoted("/absent/thing"), in("d/dangling"));
	close(fd);
}

int main(int argc, char **argv)
{
	begin(argc, argv);
	directories();
	removals();
	renames();
	links();
	finish(0);
}
