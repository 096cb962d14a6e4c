// Package procfs reads what /proc and the file system say of a process while it stands still: paths as its own root sees
// them, file metadata, credentials, arguments, containers. It allocates nothing where the tracing loop uses it, and
// judges nothing.
package procfs

import (
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Reader makes the file names and holds the buffers. It belongs to one thread.
type Reader struct {
	Mount string // of the proc file system; empty: /proc

	name   [64]byte // NUL-terminated name of a file in /proc
	path   [pathMax + 1]byte
	first  [pathMax]byte
	second [pathMax]byte
	link   [pathMax]byte
	text   [pathMax]byte
}

const pathMax = 4096

// Numbers lists the names in a directory of the proc file system that are numbers: processes, threads, descriptors.
func Numbers(dir string) []int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	list := make([]int, 0, len(entries))
	for _, entry := range entries {
		if n, err := strconv.Atoi(entry.Name()); err == nil {
			list = append(list, n)
		}
	}
	return list
}

// proc makes "/proc/TID/NAME" and, with a descriptor that is not negative, "/proc/TID/NAME/FD".
func (r *Reader) proc(tid int, name string, fd int) *byte {
	b := r.name[:0]
	if r.Mount == "" {
		b = append(b, "/proc/"...)
	} else {
		b = append(append(b, r.Mount...), '/')
	}
	if tid > 0 {
		b = appendInt(b, tid)
	} else {
		b = append(b, "self"...)
	}
	b = append(append(b, '/'), name...)
	if fd >= 0 {
		b = appendInt(append(b, '/'), fd)
	}
	b = append(b, 0)
	return &b[0]
}

func appendInt(dst []byte, n int) []byte {
	if n >= 10 {
		dst = appendInt(dst, n/10)
	}
	return append(dst, byte('0'+n%10))
}

// Link reads a link of /proc/TID such as cwd, root or exe into dst.
func (r *Reader) Link(tid int, name string, dst []byte) (int, unix.Errno) {
	return readlinkat(unix.AT_FDCWD, r.proc(tid, name, -1), dst)
}

// FdLink reads the link of one of the process's descriptors: what the kernel opened.
func (r *Reader) FdLink(tid, fd int, dst []byte) (int, unix.Errno) {
	return readlinkat(unix.AT_FDCWD, r.proc(tid, "fd", fd), dst)
}

// File reads a file of /proc/TID from the beginning into dst. A full dst means that there may be more.
func (r *Reader) File(tid int, name string, dst []byte) (int, unix.Errno) {
	fd, errno := openat(unix.AT_FDCWD, r.proc(tid, name, -1), unix.O_RDONLY)
	if errno != 0 {
		return 0, errno
	}
	defer closeFd(fd)
	n := 0
	for n < len(dst) {
		got, errno := read(fd, dst[n:])
		if errno != 0 {
			return n, errno
		}
		if got == 0 {
			break
		}
		n += got
	}
	return n, 0
}

// HasTask tells whether a thread belongs to a process.
func (r *Reader) HasTask(pid, tid int) bool {
	_, _, errno := unix.RawSyscall(unix.SYS_FACCESSAT, at(unix.AT_FDCWD), uintptr(unsafe.Pointer(r.proc(pid, "task", tid))), 0)
	return errno == 0
}

// at keeps a negative descriptor such as AT_FDCWD a negative descriptor.
func at(fd int) uintptr { return uintptr(fd) }

func openat(dir int, name *byte, flags int) (int, unix.Errno) {
	fd, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, at(dir), uintptr(unsafe.Pointer(name)),
		uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
	return int(fd), errno
}

func closeFd(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

func read(fd int, dst []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&dst[0])), uintptr(len(dst)))
	return length(n, errno), errno
}

func readlinkat(dir int, name *byte, dst []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_READLINKAT, at(dir), uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(&dst[0])), uintptr(len(dst)), 0, 0)
	return length(n, errno), errno
}

// length is 0 where a call has failed, instead of the -1 that it returns.
func length(n uintptr, errno unix.Errno) int {
	if errno != 0 {
		return 0
	}
	return int(n)
}
