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
