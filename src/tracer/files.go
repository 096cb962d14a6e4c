package tracer

import (
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// opened reads what the kernel opened, from the descriptor that it gave. Only a refused open goes by the name asked for.
func (w *watch) opened(m *moment, f *record.Facts) bool {
	flags, mode := m.row.FlagsOf(m.args), uint32(m.arg(syscalls.Mode))
	if at := m.arg(syscalls.How); at != 0 {
		flags, mode = w.how(m, at)
	}
	if !w.interest.WantsOpen(flags) {
		return false
	}
	f.Num[record.NumFlags] = uint64(flags)
	if flags&(unix.O_CREAT|unix.O_TMPFILE&^unix.O_DIRECTORY) != 0 {
		f.Num[record.NumMode] = uint64(mode & 0o7777)
	}
	if m.result >= 0 && w.descriptor(m, int(m.result), &f.File) {
		return true
	}
	if m.result == int64(m.task.Number) {
		return false // refused, see rolledBack
	}
	w.named(m, syscalls.Path, syscalls.Dirfd, m.row.Follows(flags) && flags&unix.O_NOFOLLOW == 0, &f.File)
	return true
}

// how reads struct open_how of openat2(2): flags and mode, 64 bits each on every ABI.
func (w *watch) how(m *moment, at uint64) (flags, mode uint32) {
	var words [2]uint64
	w.words(m, at, words[:], 8)
	return uint32(words[0]), uint32(words[1])
}

func (w *watch) removing(m *moment, f *record.Facts) {
	f.Num[record.NumFlags] = uint64(m.row.FlagsOf(m.args))
	w.named(m, syscalls.Path, syscalls.Dirfd, false, &f.File)
}

func (w *watch) madeDirectory(m *moment, f *record.Facts) bool {
	f.Num[record.NumMode] = m.arg(syscalls.Mode) & 0o7777
	w.named(m, syscalls.Path, syscalls.Dirfd, false, &f.File)
	return true
}

func (w *watch) renaming(m *moment, f *record.Facts) {
	w.named(m, syscalls.Path, syscalls.Dirfd, false, &f.File)
	w.named(m, syscalls.Path2, syscalls.Dirfd2, false, &f.Destination)
}

// renamed looks at what lies under the new name now. The name itself was resolved before the call.
func (w *watch) renamed(m *moment, f *record.Facts) bool {
	if m.result == 0 && !w.noStat {
		w.proc.DescribePath(m.tid(), &f.Destination)
	}
	return true
}

func (w *watch) linking(m *moment, f *record.Facts) {
	w.object(m, m.row.Follows(m.row.FlagsOf(m.args)), &f.File)
	w.named(m, syscalls.Path2, syscalls.Dirfd2, false, &f.Destination)
}

// linkingSoftly resolves the text of the link as the kernel will: relative to the folder of the link.
func (w *watch) linkingSoftly(m *moment, f *record.Facts) {
	f.Num[record.NumSoft] = 1
	w.named(m, syscalls.Path2, syscalls.Dirfd2, false, &f.Destination)
	n, ok := w.tracee.String(m.tid(), m.arg(syscalls.Source), w.path[:])
	if ok {
		w.proc.ResolveBeside(m.tid(), f.Destination.Path.Get(), w.path[:n], &f.File)
	}
	f.Destination.Known = false
}

func (w *watch) changingMode(m *moment, f *record.Facts) {
	f.Num[record.NumMode] = m.arg(syscalls.Mode) & 0o7777
	w.object(m, m.row.Follows(m.row.FlagsOf(m.args)), &f.File)
}

func (w *watch) changingOwner(m *moment, f *record.Facts) {
	f.Num[record.NumID] = uint64(uint32(m.row.WideID(m.abi(), m.arg(syscalls.UID))))
	f.Num[record.NumEffective] = uint64(uint32(m.row.WideID(m.abi(), m.arg(syscalls.GID))))
	w.object(m, m.row.Follows(m.row.FlagsOf(m.args)), &f.File)
}

func (w *watch) changedDirectory(m *moment, f *record.Facts) bool {
	if m.result == 0 {
		w.proc.WorkingDirectory(m.tid(), w.strip(), &f.File)
		w.forget(&f.File)
		return true
	}
	w.object(m, true, &f.File)
	return true
}

// changedRoot notes that from now on a task's paths may not be ours.
func (w *watch) changedRoot(m *moment, _ *record.Facts) bool {
	if m.result == 0 {
		w.control.Rooted = 1
	}
	return false
}

// object finds the file that a call is about: the one behind a descriptor, or the one with a name. An empty or absent
// name beside a directory descriptor means that descriptor (AT_EMPTY_PATH; utimensat(2) with a null path).
func (w *watch) object(m *moment, follow bool, f *record.File) {
	if fd, ok := m.row.Arg(syscalls.FD, m.args); ok {
		w.descriptor(m, int(int32(fd)), f)
		return
	}
	if dir, ok := m.row.Arg(syscalls.Dirfd, m.args); ok && int32(dir) != unix.AT_FDCWD {
		n, readable := w.tracee.String(m.tid(), m.arg(syscalls.Path), w.path[:])
		if m.arg(syscalls.Path) == 0 || readable && n == 0 {
			w.descriptor(m, int(int32(dir)), f)
			return
		}
	}
	w.named(m, syscalls.Path, syscalls.Dirfd, follow, f)
}

func (w *watch) descriptor(m *moment, fd int, f *record.File) bool {
	if fd < 0 || w.proc.Opened(m.tid(), fd, w.strip(), f) != 0 {
		return false
	}
	if !w.noStat {
		w.proc.Describe(m.tid(), fd, f)
	}
	return true
}

// named resolves one of the call's paths.
func (w *watch) named(m *moment, path, dir syscalls.Role, follow bool, f *record.File) {
	n, ok := w.tracee.String(m.tid(), m.arg(path), w.path[:])
	if !ok {
		return
	}
	base := unix.AT_FDCWD
	if fd, has := m.row.Arg(dir, m.args); has {
		base = int(int32(fd))
	}
	w.proc.Resolve(m.tid(), base, w.path[:n], follow, f)
	w.forget(f)
}

// forget drops metadata that the user doesn't want looked up.
func (w *watch) forget(f *record.File) { f.Known = f.Known && !w.noStat }

// words reads numbers of size bytes each from the tracee.
func (w *watch) words(m *moment, at uint64, into []uint64, size int) bool {
	var raw [64]byte
	n := len(into) * size
	if w.tracee.Read(m.tid(), at, raw[:n]) != n {
		return false
	}
	for i := range into {
		if size == 4 {
			into[i] = uint64(order.Uint32(raw[i*4:]))
		} else {
			into[i] = order.Uint64(raw[i*8:])
		}
	}
	return true
}
