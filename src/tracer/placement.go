package tracer

import (
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// A stop wakes two sleepers: the loop, and then the task. On one processor that is a switch; on two, each has to be woken
// out of its idling, which takes a virtual machine ten times as long. The scheduler likes to spread the two. So the loop
// tries staying where the task runs, and does it as long as stops then come faster. The application is never moved.
const (
	stretch   = 64               // stops between two looks at the clock
	settling  = 8                // stops after a change that aren't counted
	pairs     = 8                // trials of each way, in turn
	enough    = 6                // pairs that staying must win
	shortTerm = 128              // stretches that a verdict holds at first; twice as long each time it is the same
	longTerm  = 8 * shortTerm    // and at most
	busy      = time.Millisecond // a stop in less than this on average makes trials worth while
)

// processors is what placement asks of the kernel. Tests play it.
type processors interface {
	Now() time.Duration
	Of(tid int) int // processor that a task ran on last; -1 when unknown
	Stay(cpu int) bool
	Roam()
}

// placement decides where the loop runs. It is told of every stop.
type placement struct {
	cpus    processors
	stops   int // of the stretch at hand, from -settling
	begun   time.Duration
	at      int           // processor that the loop stays on; -1: any
	trial   int           // stretches of the trial so far; -1: there is a verdict
	roaming time.Duration // the pair's first stretch
	won     int
	stay    bool // the verdict
	left    int  // stretches that it still holds
	term    int
}

func newPlacement(cpus processors) *placement {
	return &placement{cpus: cpus, stops: -settling, at: -1, term: shortTerm}
}

// stopped is called at every stop, before it is dealt with.
func (p *placement) stopped(tid int) {
	switch p.stops++; p.stops {
	case 0:
		p.begun = p.cpus.Now()
	case stretch:
		p.ended(tid, p.cpus.Now()-p.begun)
	}
}

// ended judges a stretch and chooses how the next one is run.
func (p *placement) ended(tid int, took time.Duration) {
	switch {
	case took > stretch*busy:
		p.trial, p.won = 0, 0
		p.roam()
	case p.trial < 0:
		p.holds(tid)
	default:
		p.tried(tid, took)
	}
}

// tried notes a stretch of a trial. Even ones roam, odd ones stay.
func (p *placement) tried(tid int, took time.Duration) {
	if p.trial%2 == 0 {
		p.roaming = took
		p.follow(tid)
	} else {
		if p.at >= 0 && took < p.roaming*7/8 {
			p.won++
		}
		p.roam()
	}
	if p.trial++; p.trial == 2*pairs {
		p.judge(tid)
	}
}

func (p *placement) judge(tid int) {
	stay := p.won >= enough
	if stay == p.stay {
		p.term = min(2*p.term, longTerm)
	} else {
		p.term = shortTerm
	}
	p.stay, p.left, p.trial, p.won = stay, p.term, -1, 0
	if stay {
		p.follow(tid)
	}
}

// holds goes on as decided: where the task goes the loop goes, too.
func (p *placement) holds(tid int) {
	if p.left--; p.left == 0 {
		p.trial = 0
		p.roam()
		return
	}
	p.stops = 0
	p.begun = p.cpus.Now()
	if p.stay && p.cpus.Of(tid) != p.at {
		p.follow(tid)
	}
}

func (p *placement) follow(tid int) {
	p.stops, p.at = -settling, -1
	if cpu := p.cpus.Of(tid); cpu >= 0 && p.cpus.Stay(cpu) {
		p.at = cpu
	}
}

func (p *placement) roam() {
	p.stops = -settling
	if p.at >= 0 {
		p.cpus.Roam()
		p.at = -1
	}
}

// machine is the processors that this thread may use.
type machine struct {
	proc    procfs.Reader
	allowed unix.CPUSet
	begun   time.Time
}

// newMachine is nil where there is no choice.
func newMachine() *machine {
	m := &machine{begun: time.Now()}
	if unix.SchedGetaffinity(0, &m.allowed) != nil || m.allowed.Count() < 2 {
		return nil
	}
	return m
}

func (m *machine) Now() time.Duration { return time.Since(m.begun) }

func (m *machine) Of(tid int) int { return m.proc.Processor(tid) }

// Stay keeps the thread on one processor; false where its control group doesn't allow that.
func (m *machine) Stay(cpu int) bool {
	var one unix.CPUSet
	one.Set(cpu)
	return m.allowed.IsSet(cpu) && unix.SchedSetaffinity(0, &one) == nil
}

// Roam lets the thread run wherever it might at first or, where its control group has changed, wherever it may now.
func (m *machine) Roam() {
	if unix.SchedSetaffinity(0, &m.allowed) != nil {
		var all unix.CPUSet
		all.Fill()
		unix.SchedSetaffinity(0, &all)
	}
}
