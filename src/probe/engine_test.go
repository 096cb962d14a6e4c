package probe

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"golang.org/x/sys/unix"
)

const defaultPolicy = "../../packaging/etc/runtime-security.d/default.policy"

// engineWith makes an engine with the rules of a file and gives what it detects.
func engineWith(t testing.TB, policy *secl.Policy) (*Engine, *[]*Detection) {
	t.Helper()
	var found []*Detection
	model := NewModel()
	e := NewEngine(model, Facts{Version: "1.2.3", Arch: "amd64", EnvsWithValue: []string{"PATH", "LD_PRELOAD"}}, 40, 10, func(d *Detection) { found = append(found, d) })
	rules := Rules(model, []*secl.Policy{policy}, secl.Host{OS: "linux", Origin: "ebpfless"}, true)
	for _, o := range rules.Outcomes {
		if o.Status != secl.Loaded {
			t.Fatal(o)
		}
	}
	e.SetRules(rules)
	return e, &found
}

// act is an event of a program.
type act struct {
	path   string // of the program that does it
	parent string // of its parent; empty for none
	uid    uint32
	event  event.Event
}

func (a act) on(e *Engine) {
	if a.parent != "" {
		e.Take(testNS, event.Container{}, executed(50, 1, a.parent))
	}
	program := executed(51, 50, a.path, filepath.Base(a.path))
	program.Exec.Credentials = &event.Credentials{UID: a.uid, EUID: a.uid}
	e.Take(testNS, event.Container{}, program)
	if a.event.Kind != event.Unknown {
		ev := a.event
		ev.PID, ev.Time = 51, 1
		e.Take(testNS, event.Container{}, &ev)
	}
}

func opening(path string, flags uint32) event.Event {
	return event.Event{Kind: event.Open, File: event.File{Path: path}, Flags: flags, Retval: 3}
}

// What every other default rule detects is shown by make test-detections; a kernel without modules can't show this one.
func TestTheRuleOfModulesHitsWhatIsNoTool(t *testing.T) {
	for _, c := range []struct {
		program string
		module  event.Module
		want    bool
	}{
		{"/opt/app", event.Module{FromMemory: true}, true},
		{"/usr/bin/kmod", event.Module{FromMemory: true}, true},
		{"/opt/app", event.Module{Name: "loop"}, true},
		{"/usr/bin/kmod", event.Module{Name: "loop"}, false},
	} {
		e, found := engineWith(t, secl.LoadFile(defaultPolicy))
		act{path: c.program, event: event.Event{Kind: event.LoadModule, Module: c.module}}.on(e)
		if got := detected(*found, "kernel_module_loaded"); got != c.want || len(*found) > 1 {
			t.Errorf("%s loads %+v: detected %v (%d in all), want %v", c.program, c.module, got, len(*found), c.want)
		}
	}
}

func detected(found []*Detection, rule string) bool {
	for _, d := range found {
		if d.Agent.RuleID == rule {
			return true
		}
	}
	return false
}

func policyOf(expression, more string) *secl.Policy {
	return secl.ParsePolicy("test.policy", []byte("rules:\n  - id: it\n    expression: "+expression+"\n"+more))
}

func TestALimitHoldsRulesBack(t *testing.T) {
	e, found := engineWith(t, policyOf("open.file.path == \"/x\"", ""))
	for range 100 {
		e.Take(testNS, event.Container{}, &event.Event{Kind: event.Open, PID: 5, File: event.File{Path: "/x"}})
	}
	if n := len(*found); n < 40 || n > 45 || e.Counts().Limited != uint64(100-n) {
		t.Errorf("%d of 100 came through, %d are counted as held back", n, e.Counts().Limited)
	}
}

func TestEveryAllowsOneForEachToken(t *testing.T) {
	l := newLimiter(40, 10)
	rule := &secl.RuleDef{ID: "r", Every: time.Minute}
	now := time.Now()
	for _, c := range []struct {
		token string
		after time.Duration
		want  bool
	}{{"a", 0, true}, {"a", time.Second, false}, {"b", time.Second, true}, {"a", 61 * time.Second, true}} {
		if got := l.allow(rule, c.token, key{}, now.Add(c.after)); got != c.want {
			t.Errorf("token %s after %v: %v", c.token, c.after, got)
		}
	}
	for i := range 2 * maxBuckets {
		l.allow(rule, string(rune('A'+i)), key{}, now)
	}
	if n := len(l.rules["r"].tokens); n > maxBuckets {
		t.Errorf("%d buckets", n)
	}
}

func TestInterestIsWhatRulesAndTreeNeed(t *testing.T) {
	e, _ := engineWith(t, policyOf("open.flags & O_CREAT > 0", ""))
	interest := e.Interest()
	if want := always | event.SetOf(event.Open); interest.Kinds != want || interest.OpenFlags != unix.O_CREAT {
		t.Errorf("interest is %+v, want kinds %b and O_CREAT", interest, want)
	}
}

// Whatever a rule hits, tracers are asked to report it.
func TestInterestCoversEveryKindThatARuleHits(t *testing.T) {
	model := NewModel()
	for _, kind := range event.Kinds() {
		name := kind.String()
		i := slices.IndexFunc(model.FieldNames(), func(f string) bool { return strings.HasPrefix(f, name+".") })
		if i < 0 {
			continue // forks have no fields, so no rule asks for them
		}
		field := model.FieldNames()[i]
		e, found := engineWith(t, policyOf(`'"%{`+field+`}" != "never"'`, ""))
		e.Take(testNS, event.Container{}, &event.Event{Kind: kind, PID: 5})
		if len(*found) != 1 || e.Interest().Kinds&event.SetOf(kind) == 0 {
			t.Errorf("%s: %d hits of %s, but the interest is %b", name, len(*found), field, e.Interest().Kinds)
		}
	}
}

func TestAMissAllocatesNothing(t *testing.T) {
	e, _ := engineWith(t, secl.LoadFile(defaultPolicy))
	act{path: "/usr/bin/cat", parent: "/usr/bin/dash"}.on(e)
	ev := opening("/usr/share/doc/x", 0)
	ev.PID = 51
	if n := testing.AllocsPerRun(1000, func() { e.Take(testNS, event.Container{}, &ev) }); n != 0 {
		t.Errorf("%v allocations for an event that no rule hits", n)
	}
}

func BenchmarkTake(b *testing.B) {
	e, _ := engineWith(b, secl.LoadFile(defaultPolicy))
	act{path: "/usr/bin/cat", parent: "/usr/bin/dash"}.on(e)
	ev := opening("/usr/share/doc/x", 0)
	ev.PID = 51
	b.ReportAllocs()
	for b.Loop() {
		e.Take(testNS, event.Container{}, &ev)
	}
}

func TestTheTracedProcessIsKnownToRules(t *testing.T) {
	for pid, want := range map[uint32]bool{50: true, 51: false, 99: false} {
		e, found := engineWith(t, policyOf(`ptrace.tracee.file.name == "victim" && ptrace.tracee.pid != process.pid`, ""))
		act{path: "/opt/app", parent: "/usr/bin/victim", event: event.Event{Kind: event.Ptrace, Ptrace: event.PtraceInfo{PID: pid}}}.on(e)
		if got := len(*found) == 1; got != want {
			t.Errorf("process %d traced: detected %v, want %v", pid, got, want)
		}
	}
	e, found := engineWith(t, policyOf(`ptrace.tracee.pid == 99`, ""))
	act{path: "/opt/app", event: event.Event{Kind: event.Ptrace, Ptrace: event.PtraceInfo{PID: 99}}}.on(e)
	if len(*found) != 1 {
		t.Error("a process that nobody knows has lost its number")
	}
}

func TestEventsAreCountedByKind(t *testing.T) {
	e, _ := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	act{path: "/opt/app", event: opening("/y", 0)}.on(e)
	if got := e.Counts().Kinds; len(got) != 2 || got["exec"] != 1 || got["open"] != 1 {
		t.Errorf("counted %v, want an exec and an open", got)
	}
}
