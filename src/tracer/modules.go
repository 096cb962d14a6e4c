package tracer

import (
	"bytes"

	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// loadingModule names a module after its file; one loaded from memory has no name that could be had without parsing it.
func (w *watch) loadingModule(m *moment, f *record.Facts) {
	if fd, ok := m.row.Arg(syscalls.FD, m.args); ok {
		w.descriptor(m, int(int32(fd)), &f.File)
		f.Text[0].Set(moduleName(f.File.Path.Get()))
	} else {
		f.Num[record.NumFromMemory] = 1
	}
	w.text(m, syscalls.Params, &f.Text[1])
}

func (w *watch) droppingModule(m *moment, f *record.Facts) { w.text(m, syscalls.Text, &f.Text[0]) }

// moduleName gives the base name up to ".ko".
func moduleName(path []byte) []byte {
	name := path[bytes.LastIndexByte(path, '/')+1:]
	if i := bytes.Index(name, []byte(".ko")); i >= 0 {
		name = name[:i]
	}
	return name
}

// text reads one of the call's strings.
func (w *watch) text(m *moment, role syscalls.Role, into *record.Text) {
	if at := m.arg(role); at != 0 {
		n, _ := w.tracee.String(m.tid(), at, w.path[:record.TextMax])
		into.Set(w.path[:n])
	}
}

// mounting takes Text[0] for the type: "bind" for MS_BIND, as rules expect it.
func (w *watch) mounting(m *moment, f *record.Facts) {
	if fd, ok := m.row.Arg(syscalls.FD, m.args); ok { // move_mount(2)
		w.descriptor(m, int(int32(fd)), &f.File)
	} else {
		n, _ := w.tracee.String(m.tid(), m.arg(syscalls.Source), w.path[:])
		if n > 0 && (w.path[0] == '/' || m.arg(syscalls.Flags)&unix.MS_BIND != 0) {
			w.proc.Resolve(m.tid(), unix.AT_FDCWD, w.path[:n], true, &f.File)
		} else {
			f.File.Path.Set(w.path[:n])
		}
		w.text(m, syscalls.FSType, &f.Text[0])
		if m.arg(syscalls.Flags)&unix.MS_BIND != 0 {
			f.Text[0].Set([]byte("bind"))
		}
	}
	w.named(m, syscalls.Path2, syscalls.Dirfd2, m.row.Follows(m.row.FlagsOf(m.args)), &f.Destination)
}

func (w *watch) unmounting(m *moment, f *record.Facts) {
	w.named(m, syscalls.Path, syscalls.Dirfd, m.row.Follows(m.row.FlagsOf(m.args)), &f.File)
}
