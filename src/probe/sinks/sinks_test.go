package sinks

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
)

// detection comes from a real engine: a file with a hostile name was opened.
func detection(t *testing.T) *probe.Detection {
	t.Helper()
	var found *probe.Detection
	model := probe.NewModel()
	e := probe.NewEngine(model, probe.Facts{}, 40, 10, func(d *probe.Detection) { found = d })
	policy := "rules:\n  - id: it\n    description: a test\n    expression: open.file.name =~ ~\"x*\"\n    tags: {technique: T1000, owner: us}\n"
	e.SetRules(probe.Rules(model, []*secl.Policy{secl.ParsePolicy("p", []byte(policy))}, secl.Host{}, true))
	e.Take(1, event.Container{}, &event.Event{Kind: event.Exec, PID: 2, File: event.File{Path: "/bin/sh"}})
	e.Take(1, event.Container{}, &event.Event{Kind: event.Open, PID: 2, File: event.File{Path: "/x\x1b[2J\nevil"}})
	if found == nil {
		t.Fatal("nothing was detected")
	}
	return found
}

func TestLinesAreJSON(t *testing.T) {
	var out bytes.Buffer
	for range 2 {
		if err := (Lines{Out: &out}).Write(detection(t)); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines for 2 detections", len(lines))
	}
	var document struct{ Agent struct{ Rule_ID string } }
	if err := json.Unmarshal([]byte(lines[0]), &document); err != nil || document.Agent.Rule_ID != "it" {
		t.Errorf("%v: %s", err, lines[0])
	}
}

func TestPrettyShowsWhatMattersAndObeysNoOne(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		if err := (Pretty{Out: &out, Colour: colour}).Write(detection(t)); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, part := range []string{"it", "a test", "T1000", "/x?[2J?evil", "pid 2"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is missing in %q", part, text)
			}
		}
		if strings.Contains(text, "us ") || strings.Contains(text, "\x1b[2J") || strings.Contains(text, "\x1b[") != colour {
			t.Errorf("colour %v: %q", colour, text)
		}
	}
}

type stuck struct{ release chan struct{} }

func (s stuck) Write(*probe.Detection) error { <-s.release; return nil }

func TestASlowOutputHoldsNobodyUpAndIsToldOf(t *testing.T) {
	s := stuck{make(chan struct{})}
	sink := New("slow", s)
	d := detection(t)
	for range queueLength + 100 {
		sink.Put(d) // would block for ever
	}
	close(s.release)
	if err := sink.Close(); err == nil || !strings.Contains(err.Error(), "slow") || !strings.Contains(err.Error(), "detections lost") {
		t.Errorf("closed with %v", err)
	}
}

type failing struct{}

var errFull = errors.New("disk full")

func (failing) Write(*probe.Detection) error { return errFull }

func TestAFailingOutputIsToldOf(t *testing.T) {
	sink := New("file", failing{})
	sink.Put(detection(t))
	if err := sink.Close(); !errors.Is(err, errFull) {
		t.Errorf("closed with %v", err)
	}
}
