package procfs

import (
	"bytes"

	"github.com/ebpfless/ebpfless/src/record"
	"golang.org/x/sys/unix"
)

var (
	deleted     = []byte(" (deleted)")
	memfdPrefix = []byte("/memfd:")
)

// Opened fills in the path behind one of the process's descriptors. With strip the path is taken as the process's own
// root sees it; without, the caller knows that nobody has changed roots.
func (r *Reader) Opened(tid, fd int, strip bool, f *record.File) unix.Errno {
	n, errno := r.FdLink(tid, fd, r.link[:])
	if errno != 0 {
		return errno
	}
	r.setPath(tid, r.proc(tid, "fd", fd), r.link[:n], strip, f)
	return 0
}

// Executable fills in path and metadata of the program that a process runs.
func (r *Reader) Executable(tid int, strip bool, f *record.File) unix.Errno {
	n, errno := r.Link(tid, "exe", r.link[:])
	if errno != 0 {
		return errno
	}
	r.setPath(tid, r.proc(tid, "exe", -1), r.link[:n], strip, f)
	return r.DescribeLink(tid, "exe", f)
}

// setPath turns the text of a link in /proc into a path: an anonymous file is named memfd:NAME, a file that has been
// unlinked keeps the name that it had. A file may also be called so: only its link count tells.
func (r *Reader) setPath(tid int, name *byte, link []byte, strip bool, f *record.File) {
	var st unix.Stat_t
	if bytes.HasSuffix(link, deleted) && statat(unix.AT_FDCWD, name, 0, &st) == 0 && st.Nlink == 0 {
		link = link[:len(link)-len(deleted)]
	}
	if bytes.HasPrefix(link, memfdPrefix) {
		link = link[1:]
	} else if strip {
		link = r.stripRoot(tid, link)
	}
	f.Path.Set(link)
}

// stripRoot takes the process's root directory off a path that the kernel gave relative to ours.
func (r *Reader) stripRoot(tid int, path []byte) []byte {
	n, errno := r.Link(tid, "root", r.text[:])
	root := r.text[:n]
	if errno != 0 || n <= 1 || !bytes.HasPrefix(path, root) {
		return path
	}
	rest := path[n:]
	if len(rest) == 0 {
		return path[:1]
	}
	if rest[0] != '/' {
		return path
	}
	return rest
}

// WorkingDirectory fills in path and metadata of a process's working directory.
func (r *Reader) WorkingDirectory(tid int, strip bool, f *record.File) unix.Errno {
	n, errno := r.Link(tid, "cwd", r.link[:])
	if errno != 0 {
		return errno
	}
	r.setPath(tid, r.proc(tid, "cwd", -1), r.link[:n], strip, f)
	return r.DescribeLink(tid, "cwd", f)
}

// SameRoot tells whether a process's root directory has the path that ours has.
func (r *Reader) SameRoot(tid int) bool {
	n, errno := r.Link(tid, "root", r.text[:])
	return errno == 0 && string(r.text[:n]) == "/"
}
