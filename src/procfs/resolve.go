package procfs

import (
	"bytes"

	"github.com/ebpfless/ebpfless/src/record"
	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links the kernel follows in one path (MAXSYMLINKS).
const maxLinks = 40

// Resolve fills in the path and metadata of what a name means to a process: name is relative to one of its directory
// descriptors or, with AT_FDCWD, to its working directory. The last component is followed only if follow is set. A
// file that doesn't exist yet gets the path that it would have.
//
// The path is walked here, component by component below the process's root, because the kernel would walk it for us:
// an absolute link would lead it below our root, and /proc/self to our own process.
func (r *Reader) Resolve(tid, dir int, name []byte, follow bool, f *record.File) {
	rest := r.absolute(tid, dir, name)
	root, errno := openat(unix.AT_FDCWD, r.proc(tid, "root", -1), unix.O_PATH)
	if errno != 0 {
		f.Path.Set(rest)
		return
	}
	defer closeFd(root)
	f.Path.Set(r.walk(root, tid, rest, follow))
	r.describeBelow(root, f)
}

// ResolveBeside resolves the text of a symbolic link that has a path of its own.
func (r *Reader) ResolveBeside(tid int, link, target []byte, f *record.File) {
	if len(target) > 0 && target[0] != '/' {
		dir := link[:bytes.LastIndexByte(link, '/')+1]
		n := copy(r.path[:], join(r.first[:0], dir, target))
		target = append(r.second[:0], r.path[:min(n, pathMax)]...)
	}
	r.Resolve(tid, unix.AT_FDCWD, target, true, f)
}

// DescribePath fills in the metadata of a file whose path is known, as it is now. It may be a link.
func (r *Reader) DescribePath(tid int, f *record.File) {
	root, errno := openat(unix.AT_FDCWD, r.proc(tid, "root", -1), unix.O_PATH)
	if errno != 0 {
		return
	}
	defer closeFd(root)
	r.describeBelow(root, f)
}

func (r *Reader) describeBelow(root int, f *record.File) {
	var st unix.Stat_t
	if statat(root, r.cstring(f.Path.Get()), unix.AT_SYMLINK_NOFOLLOW, &st) == 0 {
		describe(f, &st)
	}
}

// absolute joins a name to the directory it starts from, as text, in the first buffer.
func (r *Reader) absolute(tid, dir int, name []byte) []byte {
	if len(name) > 0 && name[0] == '/' {
		return append(r.first[:0], name...)
	}
	var n int
	var errno unix.Errno
	if dir == unix.AT_FDCWD {
		n, errno = r.Link(tid, "cwd", r.link[:])
	} else {
		n, errno = r.FdLink(tid, dir, r.link[:])
	}
	if errno != 0 {
		n = 0
	}
	return join(r.first[:0], r.stripRoot(tid, r.link[:n]), name)
}

// walk follows the links of a path below a root directory, component by component. The result lies in the second
// buffer; the path lies in the first and is overwritten.
func (r *Reader) walk(root, tid int, rest []byte, follow bool) []byte {
	done := r.second[:0]
	for links := 0; len(rest) > 0; {
		var component []byte
		component, rest = next(rest)
		switch {
		case len(component) == 0 || string(component) == ".":
			continue
		case string(component) == "..":
			done = done[:max(bytes.LastIndexByte(done, '/'), 0)]
			continue
		case len(done)+1+len(component) >= pathMax:
			return done
		}
		parent := len(done)
		done = append(append(done, '/'), component...)
		if len(rest) == 0 && !follow || links >= maxLinks {
			continue
		}
		n := r.follow(root, tid, done)
		if n == 0 {
			continue
		}
		links++
		if r.link[0] == '/' {
			parent = 0
		}
		done = done[:parent]
		tail := copy(r.text[:], rest)
		rest = join(r.first[:0], r.link[:n], r.text[:tail])
	}
	if len(done) == 0 {
		done = append(done, '/')
	}
	return done
}

// next splits off the first component of a path.
func next(path []byte) (component, rest []byte) {
	path = bytes.TrimLeft(path, "/")
	if i := bytes.IndexByte(path, '/'); i >= 0 {
		return path[:i], bytes.TrimLeft(path[i:], "/")
	}
	return path, nil
}

// follow reads the link that a path is into the link buffer; 0 when it is none.
func (r *Reader) follow(root, tid int, path []byte) int {
	switch string(path) {
	case "/proc/self", "/proc/thread-self":
		return len(appendInt(r.link[:0], tid))
	}
	n, errno := readlinkat(root, r.cstring(path), r.link[:])
	if errno != 0 {
		return 0
	}
	return n
}

var dot = []byte(".")

// join puts a directory and a name together, without an allocation while they fit in dst.
func join(dst, dir, name []byte) []byte {
	room := cap(dst) - len(dst)
	dst = append(dst, dir[:min(len(dir), room)]...)
	if len(name) == 0 {
		return dst
	}
	if len(dst) > 0 && dst[len(dst)-1] != '/' && len(dst) < cap(dst) {
		dst = append(dst, '/')
	}
	return append(dst, name[:min(len(name), cap(dst)-len(dst))]...)
}

// cstring terminates a path for the kernel, relative to a descriptor even when the path is absolute: the descriptor
// then is that of the root. The empty path means the directory itself.
func (r *Reader) cstring(path []byte) *byte {
	path = bytes.TrimLeft(path, "/")
	if len(path) == 0 {
		path = dot
	}
	n := copy(r.path[:pathMax], path)
	r.path[n] = 0
	return &r.path[0]
}
