package probe

import (
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/probe/enforce"
)

const anyProgram = `
rules:
  - {id: ran, expression: 'exec.file.path == "/bin/app"'}
  - {id: ended, expression: 'exit.code == 0'}
`

func TestWhatATracerReportsIsNotReportedTwice(t *testing.T) {
	e, found := acting(t, anyProgram, enforce.Limits{})
	e.Take(here, event.Container{}, executed(10, 1, "/bin/app"))
	e.Found(here, &event.Event{Kind: event.Fork, PID: 11, PPID: 10, Time: 20}) // its tracer says so, too
	e.Found(here, &event.Event{Kind: event.Exit, PID: 10, Time: 30})
	e.Take(here, event.Container{}, &event.Event{Kind: event.Exit, PID: 10, Time: 30})
	if got := found(); len(got) != 2 {
		t.Errorf("%d detections, want the exec and the exit: %s", len(got), got)
	}
	if n := e.Counts().Processes; n != 0 {
		t.Errorf("%d processes remain", n)
	}
}

func TestWhatNoTracerReportsIsJudged(t *testing.T) {
	e, found := acting(t, anyProgram, enforce.Limits{})
	e.Found(here, executed(10, 1, "/bin/app"))
	e.Found(here, &event.Event{Kind: event.Fork, PID: 11, PPID: 10, Time: 20})
	if p := e.tree.Find(here, 11); p == nil || p.Parent == nil || p.Program.File.Path != "/bin/app" {
		t.Errorf("its child is %+v", p)
	}
	e.Found(here, &event.Event{Kind: event.Exit, PID: 11, Time: 30})
	e.Found(here, &event.Event{Kind: event.Exit, PID: 10, Time: 30})
	if got := found(); len(got) != 3 {
		t.Errorf("%d detections, want an exec and two exits: %s", len(got), got)
	}
}

// A tracer that was detached says nothing of the end.
func TestAProcessWhoseTracerIsGoneEndsAllTheSame(t *testing.T) {
	e, found := acting(t, anyProgram, enforce.Limits{})
	e.Take(here, event.Container{}, executed(10, 1, "/bin/app"))
	e.Found(here, &event.Event{Kind: event.Exit, PID: 10, Time: 30})
	e.Found(here, &event.Event{Kind: event.Exit, PID: 99, Time: 31 + exitLateness})
	if n := e.Counts().Processes; n != 0 {
		t.Errorf("%d processes remain", n)
	}
	if got := found(); len(got) != 2 {
		t.Errorf("%d detections, want the exec and the exit: %s", len(got), got)
	}
}

// Whoever sees a running program first tells of it: the watcher, or a tracer that attaches to it.
func TestAnAttachedProcessIsNotReportedTwice(t *testing.T) {
	attached := func(pid uint32) *event.Event {
		e := executed(pid, 1, "/bin/app", "app")
		e.Exec.FromProcFS, e.Time = true, 50*second
		return e
	}
	e, found := acting(t, anyProgram, enforce.Limits{})
	e.Found(here, executed(10, 1, "/bin/app", "app"))
	e.Take(here, event.Container{}, attached(10))
	e.Take(here, event.Container{}, attached(11))
	e.Found(here, executed(11, 1, "/bin/app", "app")) // seen before, told late
	if got := found(); len(got) != 2 {
		t.Errorf("%d detections of two programs: %s", len(got), got)
	}
	if p := e.tree.Find(here, 10); !p.Traced {
		t.Error("what a tracer has attached to counts as not traced")
	}
	// After the tracer has gone it executes the same program again.
	again := executed(10, 1, "/bin/app", "app")
	again.Time = 60 * second
	e.Found(here, again)
	other := executed(11, 1, "/bin/app", "app", "-v")
	e.Found(here, other)
	if got := found(); len(got) != 4 {
		t.Errorf("%d detections of four programs: %s", len(got), got)
	}
}

const second = 1e9
