package probe

import (
	"slices"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
)

// exitLateness is how long a tracer's own word of an end may take to come; then that of the host's watcher counts.
const exitLateness = 10 * uint64(time.Second)

// clockSlack is how far two clocks may be apart: the kernel's notices and /proc count from the boot.
const clockSlack = uint64(time.Second)

// Recall notes a program that ran before the probe did. Rules are not asked: what no tracer reports is found by the host's
// watcher, and of what one does the rules were asked when it began.
func (e *Engine) Recall(nsid uint64, traced bool, ev *event.Event) {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.tree.Find(nsid, ev.PID) != nil {
		return
	}
	p := e.tree.Take(nsid, ev)
	p.Traced, p.Recalled = traced, true
	e.tree.Settle(p, ev)
}

// runs tells whether a process was told to run what an exec tells of.
func (p *Process) runs(e *event.Event) bool {
	return p != nil && p.Executed && !p.Recalled && p.Program.File.Path == e.File.Path && p.Program.File.Inode == e.File.Inode &&
		slices.Equal(p.Program.Args, e.Exec.Args)
}

// absent is a traced process whose end the host's watcher has seen.
type absent struct {
	process *Process
	end     *event.Event
}

// Found judges an event that the host's watcher saw in the probe's pid namespace: an exec, a fork or an exit. What a tracer
// reports as well is left to the tracer, which knows more. The event may be kept.
func (e *Engine) Found(nsid uint64, ev *event.Event) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.bury(nsid, ev.Time)
	known := e.tree.Find(nsid, ev.PID)
	switch ev.Kind {
	case event.Exec:
		// Seen before a tracer attached, or found anew after it has gone.
		if known.runs(ev) && known.Traced && ev.Time <= known.ExecTime+clockSlack {
			return
		}
	case event.Fork:
		if parent := e.tree.Find(nsid, ev.PPID); parent == nil || parent.Traced || known != nil {
			return
		}
	case event.Exit:
		if known == nil {
			return
		}
		if known.Traced {
			e.absent = append(e.absent, absent{known, ev})
			return
		}
	}
	e.take(nsid, event.Container{}, ev)
}

// bury ends traced processes that are gone and of which no tracer has said so: it was detached, or killed.
func (e *Engine) bury(nsid, now uint64) {
	for len(e.absent) > 0 && e.absent[0].end.Time+exitLateness < now {
		a := e.absent[0]
		e.absent = e.absent[1:]
		if e.tree.Find(nsid, a.end.PID) == a.process {
			e.take(nsid, event.Container{}, a.end)
		}
	}
}
