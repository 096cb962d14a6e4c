package tracer

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// fakeMachine has two processors. A stop costs what the test says for staying and roaming.
type fakeMachine struct {
	now      time.Duration
	taskOn   int // processor of the task; -1: gone
	loopOn   int // -1: any
	refuse   bool
	stays    int
	roamings int
}

func (f *fakeMachine) Now() time.Duration { return f.now }
func (f *fakeMachine) Of(int) int         { return f.taskOn }
func (f *fakeMachine) Roam()              { f.loopOn = -1; f.roamings++ }

func (f *fakeMachine) Stay(cpu int) bool {
	if f.refuse {
		return false
	}
	f.loopOn = cpu
	f.stays++
	return true
}

// work makes n stops, each of which takes near where the loop is on the task's processor and far otherwise.
func (f *fakeMachine) work(p *placement, n int, near, far time.Duration) {
	for range n {
		f.now += far
		if f.loopOn >= 0 && f.loopOn == f.taskOn {
			f.now += near - far
		}
		p.stopped(7)
	}
}

const trials = 2 * pairs * (stretch + settling)

func TestLoopStaysWhereTheTaskRunsIfThatIsFaster(t *testing.T) {
	f := &fakeMachine{taskOn: 1, loopOn: -1}
	p := newPlacement(f)
	f.work(p, trials, 15*time.Microsecond, 60*time.Microsecond)
	if f.loopOn != 1 {
		t.Fatal("the loop roams")
	}
	f.taskOn = 0
	f.work(p, stretch+settling, 15*time.Microsecond, 60*time.Microsecond)
	if f.loopOn != 0 {
		t.Error("the task has moved, the loop has not")
	}
	roamed := 0
	for range 100_000 {
		f.work(p, 1, 15*time.Microsecond, 60*time.Microsecond)
		if f.loopOn < 0 {
			roamed++
		}
	}
	if roamed > 5000 {
		t.Errorf("%d of 100,000 stops were for trials", roamed)
	}
}

func TestLoopRoamsWhereStayingHurts(t *testing.T) {
	for name, c := range map[string]struct{ near, far time.Duration }{
		"slower":     {60 * time.Microsecond, 15 * time.Microsecond},
		"no better":  {15 * time.Microsecond, 15 * time.Microsecond},
		"hardly":     {19 * time.Microsecond, 20 * time.Microsecond},
		"rare stops": {5 * time.Millisecond, 9 * time.Millisecond},
	} {
		f := &fakeMachine{taskOn: 1, loopOn: -1}
		p := newPlacement(f)
		stayed := 0
		for range 200_000 {
			f.work(p, 1, c.near, c.far)
			if f.loopOn >= 0 {
				stayed++
			}
		}
		if stayed > 6000 {
			t.Errorf("%s: %d of 200,000 stops on one processor", name, stayed)
		}
	}
}

func TestVerdictChangesWithTheLoad(t *testing.T) {
	f := &fakeMachine{taskOn: 1, loopOn: -1}
	p := newPlacement(f)
	near, far := 15*time.Microsecond, 60*time.Microsecond
	f.work(p, trials, near, far)
	f.work(p, longTerm*stretch+2*trials, far, near)
	if f.loopOn >= 0 {
		t.Error("staying hurts now, and the loop stays")
	}
	f.work(p, longTerm*stretch+2*trials, near, far)
	if f.loopOn < 0 {
		t.Error("staying helps again, and the loop roams")
	}
	f.work(p, 2*stretch, time.Second, time.Second)
	if f.loopOn >= 0 {
		t.Error("stops are rare now, and the loop stays")
	}
}

func TestLoopRoamsWhereItMayNotStay(t *testing.T) {
	for _, f := range []*fakeMachine{{taskOn: 1, loopOn: -1, refuse: true}, {taskOn: -1, loopOn: -1}} {
		f.work(newPlacement(f), 50_000, 15*time.Microsecond, 60*time.Microsecond)
		if f.loopOn >= 0 || f.stays > 0 {
			t.Errorf("%+v", f)
		}
	}
}

func TestProcessorsAreTheKernels(t *testing.T) {
	runtime.LockOSThread() // for good: the thread ends with the test
	m := newMachine()
	if m == nil {
		t.Skip("this machine gives us one processor: there is nothing to choose")
	}
	before := m.allowed
	cpu := m.Of(os.Getpid())
	if !m.allowed.IsSet(cpu) {
		t.Errorf("this process runs on processor %d, which it may not use", cpu)
	}
	if !m.Stay(cpu) || m.Stay(1023) {
		t.Error("staying is refused where it is allowed, or allowed where there is no processor")
	}
	if n := testing.AllocsPerRun(50, func() { m.Stay(m.Of(os.Getpid())); m.Roam(); m.Now() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if after := newMachine(); after == nil || after.allowed != before {
		t.Error("the thread may not use what it might before")
	}
}
