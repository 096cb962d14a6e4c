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
