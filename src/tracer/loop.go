// Package tracer is the tracing loop: next stop, what it means, what happened, on. It writes what it sees into a ring and
// leaves names, network and its own resurrection to others.
package tracer

import (
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// kernel is what the loop asks of ptrace(2). Tests play it.
type kernel interface {
	Wait() (ptrace.Stop, unix.Errno)
	Poll(tid int) (ptrace.Stop, unix.Errno)
	Seize(tid, options int) unix.Errno
	Interrupt(tid int) unix.Errno
	Resume(tid int, untilSyscall bool, signal int) unix.Errno
	Listen(tid int) unix.Errno
	Detach(tid, signal int) unix.Errno
	Message(tid int) (uint64, unix.Errno)
	Event(tid int) int
	Sender(tid int) int
	Continue(pid int)
	Call(tid int, atSeccomp bool, c *ptrace.Call) unix.Errno
	Interrupted(tid int, abi syscalls.ABI, c *ptrace.Call) bool
	Fresh(tid int) bool
	Parents(tid int) (tgid, ppid int)
	HasTask(pid, tid int) bool
	Zombie(pid int) bool
}

// watcher is told what happens. Tests count it.
type watcher interface {
	// Entered looks at a call before it runs and tells whether its exit matters.
	Entered(t *shared.Task, row *syscalls.Row, args *[6]uint64) bool
	// Returned looks at a call that has ended.
	Returned(t *shared.Task, row *syscalls.Row, args *[6]uint64, result int64)
	Forked(child, parent int)
	Execed(t *shared.Task)
	Ended(pid int, stop ptrace.Stop)
}

// Loop is the state machine. Everything that must survive it is in memory; the rest can be found out again.
type Loop struct {
	kernel     kernel
	watch      watcher
	memory     *shared.Memory
	control    *shared.Control
	call       ptrace.Call // of the stop at hand
	early      early
	background *background // nil: nobody need be told of it, or was
	turn       int         // stops since a task was asked out of its turn
	gap        int         // stops until the next one is
	place      *placement  // nil: wherever the scheduler wants
	every      bool        // no filter: every call of every task stops
	letGo      bool        // detaching: whatever stops is released, but for what a filter was installed in
}

func newLoop(k kernel, w watcher, m *shared.Memory) *Loop {
	return &Loop{kernel: k, watch: w, memory: m, control: m.Control, gap: often, every: m.Control.Filtered == 0}
}

// run deals with stops until no task is left. Requests are looked at between stops.
func (l *Loop) run(requests func(bits uint32)) {
	for l.control.Tasks > 0 {
		if l.control.Requested() {
			requests(l.control.TakeRequests())
			continue
		}
		stop, errno := l.next()
		switch errno {
		case 0:
			if l.place != nil {
				l.place.stopped(stop.TID)
			}
			l.step(stop)
		case unix.EINTR:
		default: // ECHILD: the tasks in the table are gone
			return
		}
	}
}

// After so many stops a task is asked out of its turn: rarely as long as those who are asked have nothing to say, for
// asking costs as much as a third of a stop.
const (
	often  = 4
	rarely = 64
)

// next gives the stop to act on. wait4(2) looks at the youngest tracee first, so that a few busy ones could hold up older ones
// for as long as they are busy: every few stops one task after the other is asked before all.
func (l *Loop) next() (ptrace.Stop, unix.Errno) {
	l.turn++
	if l.turn >= l.gap && l.control.Tasks > 1 {
		l.turn, l.gap = 0, min(2*l.gap, rarely)
		if tid := l.memory.Next(); tid != 0 {
			if stop, errno := l.kernel.Poll(tid); errno == 0 && stop.TID != 0 {
				l.gap = often
				return stop, 0
			}
		}
	}
	return l.kernel.Wait()
}

// step acts on one stop. The task is on record while it is stopped, so that whoever goes on after a crash lets it run.
func (l *Loop) step(stop ptrace.Stop) {
	l.control.Current, l.control.Pending = int32(stop.TID), 0
	if stop.Alive() {
		l.alive(stop)
	} else {
		l.gone(stop)
	}
	l.control.Current = 0
}

func (l *Loop) gone(stop ptrace.Stop) {
	t := l.memory.Find(stop.TID)
	if t == nil {
		return // a child of our own, or a thread that died before its first stop
	}
	if row := syscalls.Lookup(syscalls.ABI(t.ABI), t.Number); t.Call != 0 && row != nil && row.Call == syscalls.Signal {
		l.returned(t, 0) // it killed itself, or was killed while it killed another
	}
	if t.TID == t.TGID && !t.Launching {
		l.watch.Ended(stop.TID, stop)
	}
	if t.Met {
		l.early.add(t.TID)
	}
	l.memory.Remove(stop.TID)
	l.parted()
}

func (l *Loop) alive(stop ptrace.Stop) {
	t := l.memory.Find(stop.TID)
	if t == nil {
		t = l.meet(stop.TID)
	}
	if t == nil { // no room to remember it; it must run all the same
		l.kernel.Resume(stop.TID, false, passOn(stop))
		return
	}
	if stop.Reason != ptrace.GroupStop {
		t.Stopped, t.Held = false, false
	}
	switch stop.Reason {
	case ptrace.SeccompStop:
		l.trapped(t)
	case ptrace.SyscallStop:
		t = l.syscall(t)
	case ptrace.NewChild:
		l.newChild(t)
	case ptrace.Execed:
		t = l.execed(t)
	case ptrace.GroupStop:
		l.groupStop(t)
		return
	case ptrace.Exiting:
		if l.exiting(t) {
			return
		}
	case ptrace.Trapped:
		l.recover(t)
	case ptrace.SignalStop:
		l.control.Pending = int32(l.deliver(t, stop.Signal))
	}
	if l.overtaken(t, stop) {
		t, l.control.Pending = l.execed(t), 0
	}
	l.resume(t, int(l.control.Pending))
}

// passOn gives the signal that a stop wants delivered when nothing more is known of its task.
func passOn(stop ptrace.Stop) int {
	if stop.Reason == ptrace.SignalStop {
		return stop.Signal
	}
	return 0
}

// resume is the only place that restarts a task. ESRCH means that it was killed meanwhile; its end is reported too.
func (l *Loop) resume(t *shared.Task, signal int) {
	if l.letGo && !t.Filter {
		l.kernel.Detach(int(t.TID), signal)
		l.memory.Remove(int(t.TID))
		return
	}
	l.kernel.Resume(int(t.TID), l.everyCall(t) || t.Phase != shared.Running, signal)
}

// everyCall tells whether a task stops at every call, for want of a filter.
func (l *Loop) everyCall(t *shared.Task) bool { return l.every || t.Plain && !l.letGo }

// groupStop leaves a task stopped until SIGCONT, as its user wants it.
func (l *Loop) groupStop(t *shared.Task) {
	l.recover(t)
	if l.letGo && !t.Filter {
		l.resume(t, 0)
		return
	}
	t.Stopped = !t.Held
	l.kernel.Listen(int(t.TID))
}

// deliver passes signals on, but for those by which guardian and loop stopped and continued the task.
func (l *Loop) deliver(t *shared.Task, signal int) int {
	if signal != int(unix.SIGSTOP) && signal != int(unix.SIGCONT) {
		return signal
	}
	sender := int32(l.kernel.Sender(int(t.TID)))
	if sender != 0 && (sender == l.control.GuardPID || sender == l.control.LoopPID) {
		return 0
	}
	return signal
}

// meet takes up a task of which the parent's event hasn't come yet, or never will because the parent was killed.
func (l *Loop) meet(tid int) *shared.Task {
	tgid, ppid := l.kernel.Parents(tid)
	if tgid == 0 {
		tgid = tid
	}
	if tgid == tid && ppid != 0 {
		l.watch.Forked(tid, ppid)
	}
	t := l.memory.Add(tid, tgid)
	if t != nil {
		t.Met = true
		l.descend(t, tgid, ppid)
	}
	return t
}

// descend gives a new task what it has inherited. Of one whose ancestors are unknown the worst is assumed where some
// processes have filters and others have none.
func (l *Loop) descend(t *shared.Task, relatives ...int) {
	for _, tid := range relatives {
		if known := l.memory.Find(tid); known != nil && known != t {
			t.Plain, t.Filter = known.Plain, known.Filter
			return
		}
	}
	t.Plain, t.Filter = l.control.Plains > 0, l.control.Filters > 0
}

// early are children that ended before the event of their parent came to tell of them: wait4 gives the stops of
// different tasks in any order. A parent that was killed never tells, so the list forgets its oldest.
type early struct {
	tids [64]int32
	next int
}

func (e *early) add(tid int32) {
	e.tids[e.next] = tid
	e.next = (e.next + 1) % len(e.tids)
}

// take removes a child and tells whether it was there.
func (e *early) take(tid int) bool {
	for i := range e.tids {
		if e.tids[i] == int32(tid) {
			e.tids[i] = 0
			return true
		}
	}
	return false
}

// newChild takes up the child of a fork, vfork or clone, unless it stopped before its parent did.
func (l *Loop) newChild(t *shared.Task) {
	message, errno := l.kernel.Message(int(t.TID))
	child := int(message)
	if errno != 0 || child == 0 || l.early.take(child) {
		return
	}
	if met := l.memory.Find(child); met != nil {
		met.Met, met.Plain, met.Filter = false, t.Plain, t.Filter
		return
	}
	parent, plain, filter := int(t.TGID), t.Plain, t.Filter
	tgid := child
	if l.kernel.HasTask(parent, child) {
		tgid = parent
	} else if !t.Launching {
		l.watch.Forked(child, parent)
	}
	if born := l.memory.Add(child, tgid); born != nil {
		born.Plain, born.Filter = plain, filter
	}
}

// overtaken tells whether another thread's exec has ended the leader whose stop was acted on, and now stands under its id in a stop
// of its own. Before Linux 5.13, which refuses that (dbb5afad100a), to resume it would leave that stop untold.
func (l *Loop) overtaken(t *shared.Task, stop ptrace.Stop) bool {
	return t.Leads && stop.Reason != ptrace.Execed && l.kernel.Event(int(t.TID)) == unix.PTRACE_EVENT_EXEC
}

// execed drops what was known of the old program. When a thread other than the leader executes, it takes over the
// leader's id, and the call that it is in goes on under that id.
func (l *Loop) execed(t *shared.Task) *shared.Task {
	leader := t.TID
	if former, errno := l.kernel.Message(int(leader)); errno == 0 && int32(former) != leader && former != 0 {
		if old := l.memory.Find(int(former)); old != nil {
			l.memory.FreeCall(t)
			t.Phase, t.ABI, t.Number = old.Phase, old.ABI, old.Number
			l.memory.Remove(int(former))
			t = l.memory.Find(int(leader))
		}
	}
	l.begun(t)
	return t
}

// begun is a new program in a task.
func (l *Loop) begun(t *shared.Task) {
	l.memory.FreeCall(t)
	t.TGID, t.Launching, t.Leads = t.TID, false, false
	if l.control.Bare == 0 {
		l.watch.Execed(t)
	}
}
