package tracer

import (
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// How a call that the filter traps is seen, from ptrace(2) and kernel/seccomp.c. The task is let go from the seccomp stop
// with PTRACE_SYSCALL only if the exit matters:
//
//	Linux 3.5 to 4.7    seccomp stop, entry stop, exit stop
//	from Linux 4.8      [entry stop,] seccomp stop, exit stop
//
// Without a filter, and so before 3.5, every call has an entry stop and an exit stop.

// trapped is a seccomp stop: a call that rules may want to know of, before it runs.
func (l *Loop) trapped(t *shared.Task) {
	if l.kernel.Call(int(t.TID), true, &l.call) != 0 {
		return
	}
	wanted := l.entered(t)
	switch {
	case l.everyCall(t):
		// The filter is not ours alone, or older than we are: entry and exit stops come anyway, and are counted.
		if l.control.Order == shared.SeccompFirst {
			t.Phase = shared.Running
		} else {
			t.Phase = shared.InCall
		}
	case wanted:
		t.Phase = shared.AfterSeccomp
	default:
		t.Phase = shared.Running
	}
}

// syscall is an entry or an exit stop. Kernels from 5.3 on say which; before, the count does.
func (l *Loop) syscall(t *shared.Task) *shared.Task {
	if l.kernel.Call(int(t.TID), false, &l.call) != 0 {
		return t
	}
	if l.atEntry(t) {
		if t.Phase == shared.Running {
			l.entered(t)
		}
		t.Phase = shared.InCall
		return t
	}
	// Before 4.8 a call that a filter of the application's own answers has no entry stop.
	seen := t.Phase != shared.Running
	t.Phase = shared.Running
	blank := l.call.Result == 0 && l.call.Args == [6]uint64{} // as registers are after an exec
	if blank && l.takenOver(t) {
		t = l.execed(t)
		t.Phase = shared.Running
	} else if seen {
		l.returned(t, l.call.Result)
	}
	return t
}

// takenOver tells of an exec by another thread than the leader, whose stop was lost: older kernels report a last stop of a
// leader that such an exec kills, and whoever lets it go on from there lets the new program go on, which bears its id by then.
func (l *Loop) takenOver(t *shared.Task) bool {
	former, errno := l.kernel.Message(int(t.TID))
	if errno != 0 || int32(former) == t.TID {
		return false
	}
	old := l.memory.Find(int(former))
	if old == nil || old.TGID != t.TGID || old.Phase == shared.Running || l.kernel.HasTask(int(t.TGID), int(former)) {
		return false
	}
	name := syscalls.Name(syscalls.ABI(old.ABI), old.Number)
	return name == "execve" || name == "execveat"
}

// atEntry decides which of the two stops this is.
func (l *Loop) atEntry(t *shared.Task) bool {
	switch {
	case l.call.Phase == ptrace.Entry:
		if t.Phase == shared.InCall { // the count was wrong: the exit of the call before went unseen
			t.Phase = shared.Running
		}
		return true
	case l.call.Phase == ptrace.Exit:
		if t.Phase == shared.AfterSeccomp {
			l.order()
		}
		return false
	case t.Phase == shared.AfterSeccomp:
		return l.order() == shared.SeccompFirst
	default:
		return t.Phase == shared.Running
	}
}

// order finds out the kernel's order at the first call that is followed to its exit. That is the launcher's
// setfsuid(-1), which never fails: ENOSYS in the result register can only be what the kernel puts there at entry.
func (l *Loop) order() shared.Order {
	if l.control.Order == shared.OrderUnknown {
		l.control.Order = shared.SeccompSecond
		if l.call.Result == -int64(unix.ENOSYS) {
			l.control.Order = shared.SeccompFirst
		}
	}
	return l.control.Order
}

// entered keeps the call's registers for its exit, and shows it to the watcher.
func (l *Loop) entered(t *shared.Task) (wanted bool) {
	row := syscalls.Lookup(l.call.ABI, l.call.Number)
	t.ABI, t.Number, t.Args = uint8(l.call.ABI), l.call.Number, l.call.Args
	l.memory.FreeCall(t)
	if row == nil || l.control.Bare != 0 {
		return false
	}
	if t.Launching {
		return row.Call == syscalls.SetIDs
	}
	return l.watch.Entered(t, row, &t.Args)
}

func (l *Loop) returned(t *shared.Task, result int64) {
	row := syscalls.Lookup(syscalls.ABI(t.ABI), t.Number)
	if row != nil && !t.Launching && l.control.Bare == 0 {
		l.watch.Returned(t, row, &t.Args, result)
	}
	l.memory.FreeCall(t)
}

// recover reads the end of a call that was under way when the former loop was killed, from the registers of the task
// that has been stopped since. An execve(2) whose program has not run yet may have been seen by that loop or not: rather
// it is told twice.
func (l *Loop) recover(t *shared.Task) {
	if !t.Adopted {
		return
	}
	t.Adopted = false
	if t.TID == t.TGID && l.kernel.Fresh(int(t.TID)) {
		t.Phase = shared.Running
		l.begun(t)
		return
	}
	if t.Phase != shared.Running && l.kernel.Interrupted(int(t.TID), syscalls.ABI(t.ABI), &l.call) && l.call.Number == t.Number {
		l.returned(t, l.call.Result)
	}
	l.memory.FreeCall(t)
	t.Phase = shared.Running
}
