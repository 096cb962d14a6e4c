package expect

import (
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) Report {
	t.Helper()
	r, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseTakesAnyBytes(t *testing.T) {
	r := parse(t, `expect open pid=7 path="/a b\n\"\xff\\" flags=2 retval=-13`+"\nskip no network here\n")
	want := []Attribute{{"path", "/a b\n\"\xff\\"}, {"flags", "2"}, {"retval", "-13"}}
	if diff := cmp.Diff(want, r.Lines[0].Attributes); diff != "" {
		t.Error(diff)
	}
	if r.Lines[0].PID != 7 || r.Lines[0].Kind != event.Open {
		t.Errorf("read %+v", r.Lines[0])
	}
	if diff := cmp.Diff([]string{"no network here"}, r.Skips); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"hello", "expect", "expect opened pid=1", "expect open path=/x", "expect open pid=1 pth=/x",
		`expect open pid=1 path="/x`, "expect open pid=x", "expect open pid=1 path", "expect exit pid=1 soft=1",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("took %q", text)
		}
	}
}

func open(pid uint32, path string) event.Event {
	return event.Event{Kind: event.Open, PID: pid, File: event.File{Path: path}}
}

func exit(pid, code uint32) event.Event {
	return event.Event{Kind: event.Exit, PID: pid, Exit: event.ExitInfo{Code: code}}
}

const twoProcesses = `
expect open pid=1 path=/a
expect open pid=2 path=/x
expect open pid=1 path=/b
expect exit pid=1 code=0 cause=exited
expect exit pid=2 code=3 cause=exited
`

func TestCompare(t *testing.T) {
	good := []event.Event{open(2, "/x"), exit(2, 3), open(1, "/a"), open(1, "/b"), exit(1, 0)}
	without := func(i int) []event.Event {
		return append(append([]event.Event{}, good[:i]...), good[i+1:]...)
	}
	swapped := append([]event.Event{}, good...)
	swapped[2], swapped[3] = swapped[3], swapped[2]
	wrong := append([]event.Event{}, good...)
	wrong[1] = exit(2, 4)
	for _, c := range []struct {
		name   string
		events []event.Event
		want   []string // beginnings of the complaints
	}{
		{"as expected, processes mingled", good, nil},
		{"one lost at the start", without(2), []string{"missing: expect open pid=1 path=/a"}},
		{"one lost at the end", without(4), []string{"missing: expect exit pid=1"}},
		{"one too many", append([]event.Event{open(1, "/other")}, good...), []string{"unexpected: open pid=1"}},
		{"of an unknown process", append([]event.Event{open(9, "/a")}, good...), []string{"unexpected: open pid=9"}},
		{"another status", wrong, []string{"differs: expect exit pid=2 code=3"}},
		{"in another order", swapped, []string{"missing: expect open pid=1 path=/a", "unexpected: open pid=1"}},
		{"nothing at all", nil, []string{"missing", "missing", "missing", "missing", "missing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Compare(parse(t, twoProcesses), c.events, event.Everything)
			for i := range max(len(got), len(c.want)) {
				if i >= len(got) || i >= len(c.want) || !strings.HasPrefix(got[i], c.want[i]) {
					t.Fatalf("complains %q, want %q", got, c.want)
				}
			}
		})
	}
}

func TestCompareCounts(t *testing.T) {
	report := parse(t, "count open n=2 pid=1 path=/a\ncount open n=0 pid=1 path=/b\nexpect exit pid=1 code=0")
	if got := Compare(report, []event.Event{open(1, "/a"), exit(1, 0), open(1, "/a")}, event.Everything); got != nil {
		t.Errorf("complains %q", got)
	}
	got := Compare(report, []event.Event{open(1, "/a"), open(1, "/b"), exit(1, 0)}, event.Everything)
	if len(got) != 2 {
		t.Errorf("complains %q, want one of each count", got)
	}
}

func TestCompareLeavesUnjudgedKindsOut(t *testing.T) {
	report := parse(t, "expect signal pid=1 signal=9 target=2\nexpect exit pid=1 code=0")
	if got := Compare(report, []event.Event{exit(1, 0)}, event.Everything&^event.SetOf(event.Signal)); got != nil {
		t.Errorf("complains %q", got)
	}
}

func TestCompareTakesTheTwinOfSetID(t *testing.T) {
	report := parse(t, "expect setuid pid=1 id=5 effective=-1")
	e := event.Event{Kind: event.SetFSUID, PID: 1, IDs: event.IDs{ID: 5, Effective: -1}}
	if got := Compare(report, []event.Event{e}, event.Everything); got != nil {
		t.Errorf("complains %q", got)
	}
}

func TestArgumentsMayBeCut(t *testing.T) {
	report := parse(t, "expect exec pid=1 arg=a arg=b truncated=1")
	e := event.Event{Kind: event.Exec, PID: 1, Exec: event.ExecInfo{Args: []string{"a"}, ArgsTruncated: true}}
	if got := Compare(report, []event.Event{e}, event.Everything); got != nil {
		t.Errorf("complains %q", got)
	}
	e.Exec.ArgsTruncated = false
	if got := Compare(report, []event.Event{e}, event.Everything); got == nil {
		t.Error("took a list that was cut without saying so")
	}
}
