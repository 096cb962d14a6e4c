package secl

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const examples = `
version: 1.0.0
macros:
  - id: shells
    values: ["sh", "bash", "dash"]
  - id: key_files
    expression: '["/etc/shadow", ~"/root/.ssh/**"]'
rules:
  - id: shell_from_web
    description: a web server started a shell
    expression: exec.file.name in shells && process.ancestors[A].file.name in ["nginx", "php-fpm"] && process.ancestors[A].uid != 0
    tags: { tactic: execution }
    actions:
      - set: { name: suspicious, value: true, scope: process, inherited: true }
      - set: { name: files, field: exec.file.path, append: true, size: 3 }
      - set: { name: shells, expression: "${shells} + 1", default_value: 0 }
      - hash: {}
  - id: secrets_read_by_suspect
    expression: open.file.path in key_files && ${process.suspicious} == true
    every: 10s
    limiter_token: [process.file.path, process.uid]
    actions:
      - kill: { signal: SIGKILL, scope: process }
        filter: process.created_at < 1h
  - id: refused_write
    expression: open.flags & (O_WRONLY | O_RDWR) > 0 && (open.retval == EACCES || open.retval == EPERM)
  - id: outbound
    expression: connect.addr.port == 443 && connect.addr.ip not in [198.51.100.0/24]
`

func exampleSet(t testing.TB) *RuleSet[testEvent] {
	rs := NewRuleSet(newTestModel(), []*Policy{ParsePolicy("default.policy", []byte(examples))}, Options{})
	for _, o := range rs.Outcomes {
		if o.Status != Loaded || len(o.Warnings) > 0 {
			t.Errorf("%v %q", o, o.Warnings)
		}
	}
	return rs
}

func hitsOf(rs *RuleSet[testEvent], e *testEvent, event string) (ids []string) {
	rs.Evaluate(e, event, func(r *Rule[testEvent]) { ids = append(ids, r.Def.ID) })
	return ids
}

func TestRuleSetFromEventToAction(t *testing.T) {
	rs := exampleSet(t)
	if got := rs.EventTypes(); !slices.Equal(got, []string{"connect", "exec", "open"}) {
		t.Errorf("event types %q", got)
	}
	nginx := &testProcess{UID: 33, File: testFile{Name: "nginx"}}
	e := &testEvent{Process: &testProcess{PID: 7, File: testFile{Name: "sh", Path: "/bin/sh"}, Parent: nginx}}
	if got := hitsOf(rs, e, "exec"); !slices.Equal(got, []string{"shell_from_web"}) {
		t.Fatalf("hits %q", got)
	}
	e.Variables = make(map[*VariableSpec]*Value)
	for _, a := range rs.Rules[0].Actions {
		if a.Set != nil {
			v := a.Set.Value(e)
			e.Variables[a.Set.Variable] = &v
		}
	}
	if got := e.Variables[rs.Rules[0].Actions[1].Set.Variable].Strings; !slices.Equal(got, []string{"/bin/sh"}) {
		t.Errorf("the list starts as %q", got)
	}
	if got := rs.Rules[0].Actions[2].Set.Value(e).Int; got != 2 {
		t.Errorf("the count goes to %d", got)
	}
	if got := rs.Rules[0].Actions[3].Hash.Field; got != "exec.file" {
		t.Errorf("hash of %q", got)
	}
	e.File.Path, e.Now = "/root/.ssh/id", 1
	if got := hitsOf(rs, e, "open"); !slices.Equal(got, []string{"secrets_read_by_suspect"}) {
		t.Fatalf("hits %q: the variable doesn't count", got)
	}
	kill := rs.Rules[1]
	if kill.Actions[0].Signal != syscall.SIGKILL || !kill.Actions[0].Filter.Eval(e) {
		t.Errorf("action %+v", kill.Actions[0])
	}
	if got := kill.Token(e); got != "/bin/sh\x000" {
		t.Errorf("token %q", got)
	}
}

func TestWhatIsAppendedToIsAList(t *testing.T) {
	rs := ruleSet(Options{}, `
rules:
  - id: words
    expression: open.file.name == "x" && "aws" in ${words} && process.argv in ${words}
    actions:
      - set: {name: words, value: aws, append: true}
      - set: {name: words, field: process.comm, append: true}
  - id: numbers
    expression: open.file.name == "x" && process.ancestors.uid in ${numbers} && ${numbers.length} == 1
    actions:
      - set: {name: numbers, expression: process.uid, default_value: 7, append: true}
`)
	if len(rs.Rules) != 2 {
		t.Fatal(rs.Outcomes)
	}
	e := conformanceEvent()
	e.File.Name, e.Process.Argv, e.Process.UID, e.Process.Comm = "x", []string{"sh", "gcp"}, 33, "gcp"
	if got := hitsOf(rs, e, "open"); len(got) > 0 {
		t.Errorf("%q hit while their lists are empty", got)
	}
	e.Variables = map[*VariableSpec]*Value{}
	var stores Store
	for _, r := range rs.Rules {
		for _, a := range r.Actions {
			stores.Set(a.Set.Variable, a.Set.Value(e), a.Set.Append, 0)
		}
	}
	for _, v := range rs.Variables {
		if !v.Array {
			t.Errorf("${%s} is no list", v.Name)
		}
		e.Variables[v] = stores.Get(v, 0)
	}
	e.Variables[rs.Variables[1]].Ints = e.Variables[rs.Variables[1]].Ints[1:] // the default stands first
	if got := hitsOf(rs, e, "open"); !slices.Equal(got, []string{"words", "numbers"}) {
		t.Errorf("hits %q", got)
	}
	if n := testing.AllocsPerRun(100, func() { rs.Evaluate(e, "open", func(*Rule[testEvent]) {}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNoEnforcementRefusesKill(t *testing.T) {
	rs := ruleSet(Options{NoEnforcement: true}, examples)
	if o := outcome(t, rs, "secrets_read_by_suspect"); o.Status != Failed {
		t.Errorf("%v", o)
	}
}

func TestExplain(t *testing.T) {
	source := `process.argv in ["-x", "-y"] && process.ancestors[A].uid == 33 && open.file.name != "b" && (open.retval == 4 || open.retval == 3)`
	p, err := Compile(newTestModel(), source, nil)
	if err != nil {
		t.Fatal(err)
	}
	type shown struct{ text, field, value string }
	var got []shown
	for _, m := range p.Explain(conformanceEvent()) {
		got = append(got, shown{source[m.Offset : m.Offset+m.Length], m.Field, m.Value})
	}
	want := []shown{
		{`process.argv in ["-x", "-y"]`, "process.argv", "-x"},
		{`process.ancestors[A].uid == 33`, "process.ancestors.uid", "33"},
		{`open.file.name != "b"`, "open.file.name", "shadow"},
		{`open.retval == 3`, "open.retval", "3"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("explained by %q", got)
	}
}

func TestOpenFlags(t *testing.T) {
	const writing = unix.O_WRONLY | unix.O_RDWR
	for expression, want := range map[string]uint32{
		`open.flags & (O_WRONLY|O_RDWR) > 0`:                             writing,
		`open.flags & O_CREAT != 0 && open.retval == 1`:                  unix.O_CREAT,
		`open.retval == 1 || open.flags & O_CREAT > 0`:                   0,
		`open.flags & O_CREAT > 0 || open.flags & O_TRUNC > 0`:           unix.O_CREAT | unix.O_TRUNC,
		`!(open.flags & O_CREAT == 0)`:                                   unix.O_CREAT,
		`open.flags in [O_CREAT, O_TRUNC]`:                               unix.O_CREAT | unix.O_TRUNC,
		`open.flags in [O_RDONLY, O_TRUNC]`:                              0,
		`open.flags & O_ACCMODE == O_RDONLY`:                             0,
		`open.flags & O_ACCMODE == O_WRONLY`:                             unix.O_WRONLY,
		`open.flags & (O_CREAT|O_TRUNC) > 0 && open.flags & O_TRUNC > 0`: unix.O_TRUNC,
		`open.file.path == "/etc/shadow"`:                                0,
	} {
		rs := ruleSet(Options{}, "rules: [{id: a, expression: '"+expression+"'}]")
		if got := rs.OpenFlags(); got != want || len(rs.Rules) != 1 {
			t.Errorf("%s: %#x, not %#x", expression, got, want)
		}
	}
}

func TestSparedOpens(t *testing.T) {
	const list, write = unix.O_DIRECTORY, unix.O_WRONLY | unix.O_RDWR
	for _, c := range []struct {
		expressions    []string
		having, unless uint32
	}{
		{[]string{`open.file.path == "/a"`}, 0, 0},
		{[]string{`open.file.path == "/a" && open.flags & O_DIRECTORY == 0`}, list, 0},
		{[]string{`!(open.flags & O_DIRECTORY > 0)`}, list, 0},
		{[]string{`open.flags & (O_DIRECTORY | O_APPEND) < 1`, `open.flags & O_DIRECTORY == 0`}, list, 0},
		{[]string{`open.flags & O_DIRECTORY == 0`, `open.flags & (O_WRONLY | O_RDWR) > 0`}, list, write},
		{[]string{`open.flags & O_DIRECTORY == 0`, `open.flags & O_DIRECTORY > 0`}, 0, list},
		{[]string{`open.flags & O_DIRECTORY == 0`, `open.retval == 3`}, 0, 0},
		{[]string{`open.flags & O_DIRECTORY == 0 || open.retval == 3`}, 0, 0},
		{[]string{`open.flags & (O_WRONLY | O_RDWR) > 0`}, 0, 0},
		{[]string{`exec.file.path == "/a"`}, 0, 0},
	} {
		content := "rules:\n"
		for i, e := range c.expressions {
			content += fmt.Sprintf("  - {id: r%d, expression: '%s'}\n", i, e)
		}
		rs := ruleSet(Options{}, content)
		having, unless := rs.SparedOpens()
		if having != c.having || unless != c.unless && having != 0 || len(rs.Rules) != len(c.expressions) {
			t.Errorf("%q: spared are %#x unless %#x", c.expressions, having, unless)
		}
	}
}

func TestEvaluationDoesNotAllocate(t *testing.T) {
	rs, e := exampleSet(t), conformanceEvent()
	e.File.Path = "/etc/shadow"
	hits := 0
	hit := func(*Rule[testEvent]) { hits++ }
	for _, event := range rs.EventTypes() {
		if n := testing.AllocsPerRun(100, func() { rs.Evaluate(e, event, hit) }); n != 0 {
			t.Errorf("%s: %v allocations", event, n)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	rs := exampleSet(b)
	nginx := &testProcess{UID: 33, File: testFile{Name: "nginx"}}
	shell := &testEvent{Process: &testProcess{File: testFile{Name: "sh"}, Parent: nginx}}
	hit := func(*Rule[testEvent]) {}
	for _, row := range []struct {
		name, event string
		e           *testEvent
	}{
		{"exec hit", "exec", shell},
		{"exec miss", "exec", conformanceEvent()},
		{"open miss", "open", conformanceEvent()},
		{"nothing asked", "mkdir", shell},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rs.Evaluate(row.e, row.event, hit)
			}
		})
	}
}

func BenchmarkPattern(b *testing.B) {
	match, err := compilePattern("/home/*/.ssh/**", true)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		match("/home/somebody/.ssh/authorized_keys")
	}
}

func BenchmarkLoadExamples(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		exampleSet(b)
	}
}
