package tracer

import (
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// watch reads the facts of calls and puts them into the ring.
type watch struct {
	memory   *shared.Memory
	control  *shared.Control
	interest event.Interest
	noStat   bool

	proc    procfs.Reader
	tracee  ptrace.Memory
	program procfs.ProgramReader
	facts   record.Facts // of calls that are read at their exit alone
	path    [record.PathMax]byte
	out     []byte
}

// outSize holds the largest record: two paths, two texts, and the lists of a program.
const outSize = 256 << 10

func newWatch(m *shared.Memory, interest event.Interest, noStat bool) *watch {
	return &watch{memory: m, control: m.Control, interest: interest, noStat: noStat, out: make([]byte, 0, outSize)}
}

// moment is a call as handlers see it: the task that makes it, and what its arguments mean.
type moment struct {
	task   *shared.Task
	row    *syscalls.Row
	args   *[6]uint64
	result int64
}

// arg gives an argument by its role; 0 where the call has none.
func (m *moment) arg(role syscalls.Role) uint64 {
	value, _ := m.row.Arg(role, m.args)
	return value
}

func (m *moment) tid() int { return int(m.task.TID) }

func (m *moment) abi() syscalls.ABI { return syscalls.ABI(m.task.ABI) }

// handler reads facts at one of the two ends of a call. At the exit, false means that there is nothing to report.
type handler struct {
	entry func(*watch, *moment, *record.Facts)
	exit  func(*watch, *moment, *record.Facts) bool
}

var handlers = [...]handler{
	syscalls.Open:       {exit: (*watch).opened},
	syscalls.Remove:     {entry: (*watch).removing},
	syscalls.Mkdir:      {exit: (*watch).madeDirectory},
	syscalls.Rename:     {entry: (*watch).renaming, exit: (*watch).renamed},
	syscalls.Link:       {entry: (*watch).linking, exit: (*watch).renamed},
	syscalls.Symlink:    {entry: (*watch).linkingSoftly, exit: (*watch).renamed},
	syscalls.Chmod:      {entry: (*watch).changingMode},
	syscalls.Chown:      {entry: (*watch).changingOwner},
	syscalls.Utimes:     {entry: (*watch).changingTimes},
	syscalls.Chdir:      {exit: (*watch).changedDirectory},
	syscalls.SetIDs:     {exit: (*watch).setIDs},
	syscalls.Capset:     {exit: (*watch).setCapabilities},
	syscalls.LoadModule: {entry: (*watch).loadingModule},
	syscalls.DropModule: {entry: (*watch).droppingModule},
	syscalls.Mount:      {entry: (*watch).mounting},
	syscalls.Umount:     {entry: (*watch).unmounting},
	syscalls.Connect:    {exit: (*watch).connected},
	syscalls.Bind:       {exit: (*watch).bound},
	syscalls.Accept:     {exit: (*watch).accepted},
	syscalls.Setsockopt: {exit: (*watch).setOption},
	syscalls.Setrlimit:  {exit: (*watch).setLimit},
	syscalls.Prctl:      {exit: (*watch).controlled},
	syscalls.Socket:     {exit: (*watch).madeSocket},
	syscalls.Ptrace:     {exit: (*watch).traced},
	syscalls.Signal:     {entry: (*watch).signalling},
	syscalls.Root:       {exit: (*watch).changedRoot},
	syscalls.Setns:      {exit: (*watch).changedRoot},
	syscalls.IOUring:    {},
}

// Entered implements watcher.
func (w *watch) Entered(t *shared.Task, row *syscalls.Row, args *[6]uint64) bool {
	if row.Call == syscalls.Socketcall {
		if row = w.unpackSocketcall(t, args); row == nil {
			return false
		}
	}
	if row.Kind != event.Unknown && !w.interest.Kinds.Has(row.Kind) {
		return false
	}
	entry := handlers[row.Call].entry
	if entry == nil {
		return handlers[row.Call].exit != nil
	}
	facts := w.memory.NewCall(t)
	if facts == nil {
		w.memory.Ring.Drop()
		return false
	}
	m := moment{task: t, row: row, args: args}
	facts.Reset(row.KindOf(row.FlagsOf(args)), uint32(t.TGID))
	entry(w, &m, facts)
	return true
}

// Returned implements watcher.
func (w *watch) Returned(t *shared.Task, row *syscalls.Row, args *[6]uint64, result int64) {
	if !reported(row.Call, result) || rolledBack(t, row.Call, result) {
		return
	}
	m := moment{task: t, row: row, args: args, result: result}
	h := &handlers[row.Call]
	facts := w.memory.CallOf(t)
	if facts == nil {
		if h.entry != nil {
			return // there was no room at its entry, and the drop is counted
		}
		facts = &w.facts
		facts.Reset(row.Kind, uint32(t.TGID))
	}
	if h.exit != nil && !h.exit(w, &m, facts) {
		return
	}
	facts.Retval = result
	w.write(facts, nil)
}

// reported tells which results make an event: what happened, and what was refused.
func reported(family syscalls.Call, result int64) bool {
	if result >= 0 || result < -4095 {
		return true
	}
	switch unix.Errno(-result) {
	case unix.EACCES, unix.EPERM:
		return true
	case unix.ECONNREFUSED, unix.ETIMEDOUT, unix.EINPROGRESS:
		return family == syscalls.Connect
	case unix.ECONNABORTED:
		return family == syscalls.Accept
	case unix.EADDRINUSE, unix.EFAULT:
		return family == syscalls.Bind
	}
	return false
}

// rolledBack tells that a filter of the application's own has refused a call with SECCOMP_RET_TRAP or _KILL: the kernel
// then puts the call's number where the result would be, which looks like success. The families left out can return any
// positive number; opened looks whether theirs is a descriptor.
func rolledBack(t *shared.Task, family syscalls.Call, result int64) bool {
	switch family {
	case syscalls.Open, syscalls.Socket, syscalls.Accept, syscalls.Prctl, syscalls.Ptrace, syscalls.SetIDs:
		return false
	}
	return result != 0 && result == int64(t.Number)
}

// lineage is without what the probe could not tell whose doing the rest is.
var lineage = event.SetOf(event.Exec, event.Fork, event.Exit)

// write hands the facts over and wakes a sender that sleeps. There is no waiting: what finds no room is counted.
func (w *watch) write(f *record.Facts, p *record.Program) {
	f.Time = uint64(time.Now().UnixNano())
	w.out = record.Append(w.out[:0], f, p)
	w.memory.Ring.Write(w.out, lineage.Has(f.Kind))
	w.memory.Wake()
}
