package tracer

import (
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

const unchanged = uint64(0xffffffff) // -1 as an id

func (w *watch) setIDs(m *moment, f *record.Facts) bool {
	id := m.row.WideID(m.abi(), m.arg(syscalls.ID))
	f.Num[record.NumID], f.Num[record.NumEffective] = uint64(uint32(id)), unchanged
	if effective, ok := m.row.Arg(syscalls.Effective, m.args); ok {
		f.Num[record.NumEffective] = uint64(uint32(m.row.WideID(m.abi(), effective)))
		return true
	}
	return id != -1 // setfsuid(-1) only asks
}

// setCapabilities reads the two or four words of capset(2): version 1 has 32 capabilities, later ones 64.
func (w *watch) setCapabilities(m *moment, f *record.Facts) bool {
	const version1 = 0x19980330
	var header [1]uint64
	var data [6]uint64 // effective, permitted, inheritable; twice
	words := data[:]
	if !w.words(m, m.arg(syscalls.Header), header[:], 4) {
		return false
	}
	if header[0] == version1 {
		words = data[:3]
	}
	if !w.words(m, m.arg(syscalls.Data), words, 4) {
		return false
	}
	f.Num[record.NumCapEffective] = data[0] | data[3]<<32
	f.Num[record.NumCapPermitted] = data[1] | data[4]<<32
	return true
}

func (w *watch) setLimit(m *moment, f *record.Facts) bool {
	size := m.abi().LongSize()
	if m.row.Wide {
		size = 8
	}
	var limit [2]uint64
	if !w.words(m, m.arg(syscalls.Value), limit[:], size) {
		return false // prlimit(2) that only asks
	}
	whom := uint64(m.task.TGID)
	if pid := m.arg(syscalls.PID); int32(pid) > 0 {
		whom = pid
	}
	f.Num = [6]uint64{m.arg(syscalls.Resource), wide(limit[0], size), wide(limit[1], size), whom}
	return true
}

// wide makes RLIM_INFINITY of 32 bits that of 64.
func wide(limit uint64, size int) uint64 {
	if size == 4 && limit == 0xffffffff {
		return ^uint64(0)
	}
	return limit
}

func (w *watch) controlled(m *moment, f *record.Facts) bool {
	f.Num[record.NumOption], f.Num[record.NumArg2] = m.arg(syscalls.Option), m.arg(syscalls.Value)
	if m.arg(syscalls.Option) == unix.PR_SET_NAME {
		const taskCommLen = 16 // TASK_COMM_LEN, the terminating NUL included
		n, _ := w.tracee.String(m.tid(), m.arg(syscalls.Value), w.path[:taskCommLen-1])
		f.Text[0].Set(w.path[:n])
	}
	return true
}

func (w *watch) traced(m *moment, f *record.Facts) bool {
	f.Num[record.NumRequest], f.Num[record.NumWhom] = m.arg(syscalls.Request), uint64(uint32(m.arg(syscalls.TID)))
	return true
}

// signalling reads at the entry, because who kills himself has no exit.
func (w *watch) signalling(m *moment, f *record.Facts) {
	whom := m.arg(syscalls.PID)
	if tid, ok := m.row.Arg(syscalls.TID, m.args); ok && m.row.At[syscalls.PID] < 0 {
		whom = tid
	}
	if fd, ok := m.row.Arg(syscalls.FD, m.args); ok {
		whom = uint64(w.proc.PidOfDescriptor(m.tid(), int(int32(fd))))
	}
	f.Num[record.NumRequest], f.Num[record.NumWhom] = m.arg(syscalls.Signo), uint64(uint32(whom))
}
