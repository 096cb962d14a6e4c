package secl

import "golang.org/x/sys/unix"

// openFlags are those of the running architecture, as open(2) takes them.
var openFlags = map[string]int64{
	"O_RDONLY": unix.O_RDONLY, "O_WRONLY": unix.O_WRONLY, "O_RDWR": unix.O_RDWR, "O_ACCMODE": unix.O_ACCMODE,
	"O_APPEND": unix.O_APPEND, "O_ASYNC": unix.O_ASYNC, "O_CLOEXEC": unix.O_CLOEXEC, "O_CREAT": unix.O_CREAT,
	"O_DIRECT": unix.O_DIRECT, "O_DIRECTORY": unix.O_DIRECTORY, "O_DSYNC": unix.O_DSYNC, "O_EXCL": unix.O_EXCL,
	"O_FSYNC": unix.O_FSYNC, "O_NDELAY": unix.O_NDELAY, "O_NOATIME": unix.O_NOATIME, "O_NOCTTY": unix.O_NOCTTY,
	"O_NOFOLLOW": unix.O_NOFOLLOW, "O_NONBLOCK": unix.O_NONBLOCK, "O_RSYNC": unix.O_RSYNC, "O_SYNC": unix.O_SYNC,
	"O_TRUNC": unix.O_TRUNC,
}

// fileModes are permissions, set-id bits and file types, as inode(7) has them.
var fileModes = map[string]int64{
	"S_ISUID": unix.S_ISUID, "S_ISGID": unix.S_ISGID, "S_ISVTX": unix.S_ISVTX,
	"S_IRWXU": unix.S_IRWXU, "S_IRUSR": unix.S_IRUSR, "S_IWUSR": unix.S_IWUSR, "S_IXUSR": unix.S_IXUSR,
	"S_IRWXG": unix.S_IRWXG, "S_IRGRP": unix.S_IRGRP, "S_IWGRP": unix.S_IWGRP, "S_IXGRP": unix.S_IXGRP,
	"S_IRWXO": unix.S_IRWXO, "S_IROTH": unix.S_IROTH, "S_IWOTH": unix.S_IWOTH, "S_IXOTH": unix.S_IXOTH,
	"S_IFMT": unix.S_IFMT, "S_IFSOCK": unix.S_IFSOCK, "S_IFLNK": unix.S_IFLNK, "S_IFREG": unix.S_IFREG,
	"S_IFBLK": unix.S_IFBLK, "S_IFDIR": unix.S_IFDIR, "S_IFCHR": unix.S_IFCHR, "S_IFIFO": unix.S_IFIFO,
}

// unlinkFlags are those of unlinkat(2).
var unlinkFlags = map[string]int64{"AT_REMOVEDIR": unix.AT_REMOVEDIR}
