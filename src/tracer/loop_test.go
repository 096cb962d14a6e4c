package tracer

import (
	"fmt"
	"testing"

	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// Whatever kernel is played, the watcher hears the same of the same calls.
func TestEveryOrderOfStopsTellsTheSame(t *testing.T) {
	want := []string{
		"entered openat 0", "returned openat 7",
		"entered setfsuid 0",
		"entered openat 0", "returned openat -38",
		"entered openat 0", "returned openat -13",
		"ended",
	}
	for _, filtered := range []bool{true, false} {
		for _, order := range []shared.Order{shared.SeccompFirst, shared.SeccompSecond} {
			for _, info := range []bool{false, true} {
				t.Run(fmt.Sprintf("filtered=%v order=%v info=%v", filtered, order, info), func(t *testing.T) {
					f := &fake{t: t, filtered: filtered, order: order, info: info, until: !filtered, calls: []played{
						{number: sysSetFSID, trapped: true}, // the launcher's
						{number: sysOpenat, trapped: true, result: 7},
						{number: sysGetpid},
						{number: sysSetFSID, trapped: true},
						{number: sysOpenat, trapped: true, result: -int64(unix.ENOSYS)},
						{number: sysGetpid},
						{number: sysOpenat, trapped: true, result: -int64(unix.EACCES)},
					}}
					play(t, f)
					if diff := cmp.Diff(want, f.trace); diff != "" {
						t.Error(diff)
					}
				})
			}
		}
	}
}

// play runs the calls through a loop. The first call is the launcher's, after it the task is the application.
func play(t *testing.T, f *fake) {
	t.Helper()
	m := memory(t)
	if f.filtered {
		m.Control.Filtered = 1
	}
	l := newLoop(f, f, m)
	m.Add(fakeTID, fakeTID)
	all := len(f.calls)
	for m.Control.Tasks > 0 {
		stop, _ := f.Wait()
		m.Find(fakeTID).Launching = len(f.calls) == all
		l.step(stop)
	}
	if f.filtered && !f.info && m.Control.Order != f.order {
		t.Errorf("learned order %d, played %d", m.Control.Order, f.order)
	}
}

// A call that nobody traps costs no stop, and one whose exit nobody wants costs one.
func TestFilteredCallsCostOnlyTheStopsTheyNeed(t *testing.T) {
	f := &fake{t: t, filtered: true, order: shared.SeccompSecond, info: true, calls: []played{
		{number: sysGetpid}, {number: sysGetpid}, {number: sysSetFSID, trapped: true}, {number: sysGetpid},
		{number: sysOpenat, trapped: true, result: 3}, {number: sysGetpid},
	}}
	m := memory(t)
	m.Control.Filtered = 1
	m.Add(fakeTID, fakeTID)
	l := newLoop(f, f, m)
	l.run(func(uint32) {})
	if f.stops != 3 {
		t.Errorf("%d stops for one entry and one entry with exit, want 3", f.stops)
	}
}

// An exec by another thread than the leader is told even if it ends the leader between a stop of that and its restart.
func TestAnExecThatOvertakesItsLeaderIsTold(t *testing.T) {
	f := &fake{t: t, event: unix.PTRACE_EVENT_EXEC}
	m := memory(t)
	m.Add(fakeTID, fakeTID)
	l := newLoop(f, f, m)
	l.step(ptrace.Stop{TID: fakeTID, Reason: ptrace.Trapped})
	m.Add(fakeTID+1, fakeTID)
	l.step(ptrace.Stop{TID: fakeTID, Reason: ptrace.Trapped})
	l.step(ptrace.Stop{TID: fakeTID, Reason: ptrace.Trapped})
	if diff := cmp.Diff([]string{"execed"}, f.trace); diff != "" {
		t.Error("one of three stops, the one with another thread beside:\n" + diff)
	}
}
