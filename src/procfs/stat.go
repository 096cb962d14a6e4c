package procfs

import (
	"unsafe"

	"github.com/ebpfless/ebpfless/src/record"
	"golang.org/x/sys/unix"
)

// statat is fstatat(2).
func statat(dir int, name *byte, flags int, st *unix.Stat_t) unix.Errno {
	_, _, errno := unix.RawSyscall6(sysStatAt, at(dir), uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(st)),
		uintptr(flags), 0, 0)
	return errno
}

// Describe fills in the metadata of what one of the process's descriptors refers to.
func (r *Reader) Describe(tid, fd int, f *record.File) unix.Errno {
	var st unix.Stat_t
	if errno := statat(unix.AT_FDCWD, r.proc(tid, "fd", fd), 0, &st); errno != 0 {
		return errno
	}
	describe(f, &st)
	return 0
}

// DescribeLink fills in the metadata of what a link of /proc/TID, such as exe, refers to.
func (r *Reader) DescribeLink(tid int, name string, f *record.File) unix.Errno {
	var st unix.Stat_t
	if errno := statat(unix.AT_FDCWD, r.proc(tid, name, -1), 0, &st); errno != 0 {
		return errno
	}
	describe(f, &st)
	return 0
}

// ExecutableInode is that of the program which a process runs, 0 where it can't be told.
func (r *Reader) ExecutableInode(tid int) uint64 {
	var st unix.Stat_t
	if statat(unix.AT_FDCWD, r.proc(tid, "exe", -1), 0, &st) != 0 {
		return 0
	}
	return st.Ino
}

func describe(f *record.File, st *unix.Stat_t) {
	f.Known, f.Mode, f.UID, f.GID, f.Inode = true, st.Mode, st.Uid, st.Gid, st.Ino
	f.CTime, f.MTime = nanoseconds(st.Ctim), nanoseconds(st.Mtim)
}

func nanoseconds(t unix.Timespec) uint64 { return uint64(t.Sec)*1e9 + uint64(t.Nsec) }
