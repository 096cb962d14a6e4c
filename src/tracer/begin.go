package tracer

import (
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// launch attaches to the launcher that will become the application. Its main thread alone matters: exec ends the others.
func (l *Loop) launch(pid int) bool {
	if l.memory.Find(pid) == nil && !l.seize(pid, pid) {
		return false
	}
	l.memory.Find(pid).Launching = true
	if l.every {
		l.kernel.Interrupt(pid)
	}
	return true
}

// attach takes every thread of a running process, listing them again until no new one appears.
func (l *Loop) attach(pid int, threads func(pid int) []int) bool {
	for found := true; found; {
		found = false
		for _, tid := range threads(pid) {
			if l.memory.Find(tid) != nil {
				continue
			}
			if !l.seize(tid, pid) {
				if tid == pid {
					return false
				}
				continue // a thread that ended meanwhile
			}
			found = true
			l.kernel.Interrupt(tid)
		}
	}
	if l.memory.Find(pid) == nil {
		l.fail(pid, unix.ESRCH)
		return false
	}
	return true
}

func (l *Loop) seize(tid, tgid int) bool {
	if errno := l.hold(tid); errno != 0 {
		l.fail(tid, errno)
		return false
	}
	t := l.memory.Add(tid, tgid)
	if t == nil {
		l.fail(tid, unix.ENOSPC)
		return false
	}
	t.Plain = l.control.Attached != 0 // until a filter is installed in it
	return true
}

// hold seizes one thread with all options that the kernel has, and asks for last stops only where somebody makes use of them.
func (l *Loop) hold(tid int) unix.Errno {
	last := 0
	if l.background != nil {
		last = unix.PTRACE_O_TRACEEXIT
	}
	errno := l.kernel.Seize(tid, ptrace.Options|last)
	if errno == unix.EIO {
		errno = l.kernel.Seize(tid, ptrace.OptionsBeforeSeccomp|last)
	}
	return errno
}

func (l *Loop) fail(tid int, errno unix.Errno) {
	l.control.Failure, l.control.FailedAt = int32(errno), int32(tid)
}

// adopt takes over the tasks of a loop that was killed. The guardian has stopped them; those that were not stopped by
// their user are continued.
func (l *Loop) adopt() {
	var lost []int
	l.memory.Each(func(t *shared.Task) {
		if !l.readopt(t) {
			lost = append(lost, int(t.TID))
		}
	})
	for _, tid := range lost {
		if t := l.memory.Find(tid); t.TID == t.TGID && !t.Launching {
			l.watch.Ended(tid, ptrace.Stop{TID: tid, Reason: ptrace.Ended})
		}
		l.memory.Remove(tid)
	}
	l.parted()
	l.memory.Each(func(t *shared.Task) {
		if t.TID == t.TGID && !t.Stopped {
			l.kernel.Continue(int(t.TID))
		}
	})
}

func (l *Loop) readopt(t *shared.Task) bool {
	if errno := l.hold(int(t.TID)); errno != 0 {
		l.fail(int(t.TID), errno)
		return false
	}
	t.Adopted, t.Kept = true, false
	if t.Found {
		t.Found = false
		tgid, ppid := l.kernel.Parents(int(t.TID))
		l.descend(t, tgid, ppid)
		if t.TID == t.TGID {
			l.watch.Forked(int(t.TID), ppid)
		}
	}
	return true
}

// goOn continues after this very process has executed itself again: every task is still attached, and the one whose stop
// was being dealt with still stands.
func (l *Loop) goOn() {
	l.letEnd()
	t := l.memory.Find(int(l.control.Current))
	if t == nil {
		return
	}
	l.resume(t, int(l.control.Pending))
	l.control.Current = 0
}
