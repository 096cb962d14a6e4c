package secl

import (
	"slices"
	"testing"
)

func TestRuleSetHitsAndMisses(t *testing.T) {
	p := ParsePolicy("a.policy", []byte(`
version: 1.2.3
rules:
  - id: shadow
    expression: open.file.path in ["/etc/shadow", ~"/root/.ssh/**"] && open.flags & O_WRONLY > 0
  - id: broken
    expression: open.file.pth == "/etc/passwd"
  - id: shell
    expression: exec.file.name == "sh" && process.ancestors[A].file.name == "nginx" && process.ancestors[A].uid != 0
`))
	rs := NewRuleSet(newTestModel(), []*Policy{p}, Options{})
	for _, o := range rs.Outcomes {
		t.Log(o)
	}
	if got := rs.EventTypes(); !slices.Equal(got, []string{"exec", "open"}) {
		t.Fatalf("event types %q", got)
	}
	if got := rs.OpenFlags(); got != 1 {
		t.Errorf("open flags %#x", got)
	}
	var hits []string
	hit := func(r *Rule[testEvent]) { hits = append(hits, r.Def.ID) }
	e := &testEvent{File: testFile{Path: "/root/.ssh/id"}, Flags: 1}
	rs.Evaluate(e, "open", hit)
	nginx := &testProcess{UID: 33, File: testFile{Name: "nginx"}}
	e = &testEvent{Process: &testProcess{File: testFile{Name: "sh"}, Parent: &testProcess{Parent: nginx}}}
	rs.Evaluate(e, "exec", hit)
	if !slices.Equal(hits, []string{"shadow", "shell"}) {
		t.Errorf("hits %q", hits)
	}
	e.Process.Parent.Parent.UID = 0
	if n := testing.AllocsPerRun(100, func() { rs.Evaluate(e, "exec", hit) }); n != 0 {
		t.Errorf("a miss allocates %v times", n)
	}
}
