package tracer

import (
	"testing"

	"github.com/ebpfless/ebpfless/src/ptrace"
	"golang.org/x/sys/unix"
)

// crowd is tasks that are always stopped again before the loop asks for the next stop. The youngest comes first, as in
// the kernel.
type crowd struct {
	fake
	tids   []int // youngest first
	served map[int]int
	left   int
	polls  map[int]int
}

func (c *crowd) Wait() (ptrace.Stop, unix.Errno) { return c.stopped(c.tids[0]) }

func (c *crowd) Poll(tid int) (ptrace.Stop, unix.Errno) {
	c.polls[tid]++
	return c.stopped(tid)
}

func (c *crowd) stopped(tid int) (ptrace.Stop, unix.Errno) {
	if c.left == 0 {
		return ptrace.Stop{}, unix.ECHILD
	}
	c.left--
	c.served[tid]++
	return ptrace.Stop{TID: tid, Reason: ptrace.SignalStop, Signal: int(unix.SIGWINCH)}, 0
}

func TestBusyYoungTasksDontHoldUpOldOnes(t *testing.T) {
	const stops = 1000
	c := &crowd{tids: []int{104, 103, 102, 101, 100}, served: map[int]int{}, polls: map[int]int{}, left: stops}
	m := memory(t)
	l := newLoop(c, &c.fake, m)
	for _, tid := range []int{100, 101} { // known before the first turn
		m.Add(tid, 100)
	}
	m.Add(99, 100)
	m.Next()
	for _, tid := range []int{102, 103, 104} {
		m.Add(tid, 100)
	}
	m.Remove(99)
	l.run(nil)
	for _, tid := range c.tids {
		if least := stops / often / len(c.tids); c.served[tid] < least {
			t.Errorf("task %d was served %d times, want %d at least", tid, c.served[tid], least)
		}
	}
	if c.polls[99] != 0 || c.polls[0] != 0 {
		t.Errorf("asked for who is not there: %v", c.polls)
	}
}
