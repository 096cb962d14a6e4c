package tracer

import (
	"unsafe"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// release lets every task go that can do without a tracer. One in which a filter was installed can't: its trapped calls
// would fail. So the loop stays as a holder, which passes all stops on and reads nothing, until those tasks have ended or
// another tracer takes over.
func (l *Loop) release() {
	l.control.Holding = 1
	l.leave()
	l.memory.Each(func(t *shared.Task) {
		if !t.Filter {
			l.kernel.Interrupt(int(t.TID))
		}
	})
}

// leave makes this loop one that only passes stops on, under a name by which it is known for that.
func (l *Loop) leave() {
	l.letGo, l.watch = true, silent{}
	name := [16]byte{}
	copy(name[:], host.HolderName)
	unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name)), 0, 0, 0)
}

// takeUp follows where this loop was a holder until now: what it held is told to the new probe, and what is new among the
// processes to trace is attached to.
func (l *Loop) takeUp(w *watch) {
	covered := l.control.Trapped.Covers(&w.interest)
	for _, pid := range l.control.PIDs[:l.control.PIDCount] {
		if l.memory.Find(int(pid)) == nil {
			l.attach(int(pid), threads)
		}
	}
	l.memory.Each(func(t *shared.Task) {
		if t.Plain = t.Plain || !covered; t.Plain {
			l.kernel.Interrupt(int(t.TID))
		}
		if t.TID == t.TGID {
			w.Found(int(t.TGID))
		}
	})
}

// inject installs the filter in every process that stops at each call, where that was asked for.
func (l *Loop) inject(interest event.Interest) {
	if l.control.Inject == 0 {
		return
	}
	err := l.join(l.control.PIDs[0])
	if err == nil {
		err = l.installAll(interest)
	}
	if err != nil {
		l.control.NotePlain(int(l.control.PIDs[0]), err.Error())
		return
	}
	l.control.Trapped = interest
}

// join moves the loop into the control groups of a process: whoever kills all of the tracer's own must not kill loop and
// guardian at once, while the application lives on with a filter.
func (l *Loop) join(pid int32) error { return host.JoinGroups(int(pid)) }

// rejoin does the same for the successor of a loop that was killed. It is better there than nowhere.
func (l *Loop) rejoin() {
	joined := false
	l.memory.Each(func(t *shared.Task) {
		if t.Filter && t.TID == t.TGID && !joined {
			joined = l.join(t.TID) == nil
		}
	})
}

// silent is a watcher that looks at nothing.
type silent struct{}

func (silent) Entered(*shared.Task, *syscalls.Row, *[6]uint64) bool    { return false }
func (silent) Returned(*shared.Task, *syscalls.Row, *[6]uint64, int64) {}
func (silent) Forked(int, int)                                         {}
func (silent) Execed(*shared.Task)                                     {}
func (silent) Ended(int, ptrace.Stop)                                  {}
