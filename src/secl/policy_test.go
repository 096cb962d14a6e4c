package secl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// loaded gives the ids that are in force, in order.
func loaded(rs *RuleSet[testEvent]) (ids []string) {
	for _, r := range rs.Rules {
		ids = append(ids, r.Def.ID)
	}
	return ids
}

func ruleSet(o Options, contents ...string) *RuleSet[testEvent] {
	var policies []*Policy
	for i, content := range contents {
		policies = append(policies, ParsePolicy(string(rune('a'+i))+".policy", []byte(content)))
	}
	return NewRuleSet(newTestModel(), policies, o)
}

// outcome finds the last outcome of a rule, macro or, with "", file.
func outcome(t *testing.T, rs *RuleSet[testEvent], id string) Outcome {
	t.Helper()
	for _, o := range slices.Backward(rs.Outcomes) {
		if o.RuleID == id {
			return o
		}
	}
	t.Fatalf("no outcome for %q in %v", id, rs.Outcomes)
	return Outcome{}
}

const oneRule = `rules: [{id: r, expression: open.retval == 1, every: 1m, tags: {a: b, c: d}}]`

func TestCombine(t *testing.T) {
	for name, row := range map[string]struct {
		second string
		check  func(*Rule[testEvent]) bool // nil: the rule is not in force
	}{
		"same again is ignored": {`rules: [{id: r, expression: open.retval == 2}]`,
			func(r *Rule[testEvent]) bool { return r.Def.Expression == "open.retval == 1" }},
		"override takes the expression": {`rules: [{id: r, expression: open.retval == 2, every: 5s, combine: override}]`,
			func(r *Rule[testEvent]) bool {
				return r.Def.Expression == "open.retval == 2" && r.Def.Every == time.Minute
			}},
		"override all": {`rules: [{id: r, expression: open.retval == 2, combine: override, override_options: {fields: [all]}}]`,
			func(r *Rule[testEvent]) bool { return r.Def.Expression == "open.retval == 2" && r.Def.Every == 0 }},
		"override merges tags": {`rules: [{id: r, combine: override, tags: {c: x}, override_options: {fields: [tags]}}]`,
			func(r *Rule[testEvent]) bool {
				return r.Def.Tags["a"] == "b" && r.Def.Tags["c"] == "x" && r.Def.Expression == "open.retval == 1"
			}},
		"override adds actions once": {`rules: [{id: r, combine: override, override_options: {fields: [actions]},
			actions: [{log: {level: info}}, {log: {level: info}}]}]`,
			func(r *Rule[testEvent]) bool { return len(r.Actions) == 1 }},
		"switched off":   {`rules: [{id: r, expression: open.retval == 2, disabled: true}]`, nil},
		"overridden off": {`rules: [{id: r, combine: override, disabled: true}]`, nil},
		"filtered twin": {`rules: [{id: r, expression: open.retval == 2, filters: ['os == "windows"'], disabled: true}]`,
			func(r *Rule[testEvent]) bool { return r.Def.Expression == "open.retval == 1" }},
	} {
		rs := ruleSet(Options{Host: Host{OS: "linux"}}, oneRule, row.second)
		switch {
		case row.check == nil && len(rs.Rules) > 0:
			t.Errorf("%s: the rule is in force", name)
		case row.check == nil:
		case len(rs.Rules) != 1 || !row.check(rs.Rules[0]):
			t.Errorf("%s: %v", name, rs.Outcomes)
		}
	}
}

func TestSwitchedOnByALaterPolicy(t *testing.T) {
	rs := ruleSet(Options{}, `rules: [{id: r, expression: open.retval == 1, disabled: true}]`,
		`rules: [{id: r, expression: open.retval == 2}]`)
	if len(rs.Rules) != 1 {
		t.Fatal(rs.Outcomes)
	}
}

func TestMacros(t *testing.T) {
	rs := ruleSet(Options{}, `
macros:
  - {id: shells, values: [sh, bash]}
  - {id: shells, values: [dash], combine: merge}
  - {id: shells, values: [ignored]}
  - {id: keys, expression: '["/etc/shadow", ~"/root/.ssh/**"]'}
  - {id: keys, values: [x], combine: merge}
  - {id: alias, expression: keys}
  - {id: written, expression: open.flags & (O_WRONLY|O_RDWR) > 0}
  - {id: one, expression: '"/etc/shadow"'}
  - {id: round, expression: round}
  - {id: broken, expression: 'a ='}
  - {id: inner, expression: 'open.file.pth == "x"'}
rules:
  - {id: a, expression: open.file.name in shells && written}
  - {id: b, expression: open.file.path in alias || open.file.path == one}
  - {id: c, expression: open.retval == round}
  - {id: d, expression: open.retval == broken}
  - {id: e, expression: "open.retval == 1 && inner"}
`)
	if got := loaded(rs); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("loaded %q: %v", got, rs.Outcomes)
	}
	for id, want := range map[string]string{
		"c": "names itself", "d": "no constant, macro or field", "broken": "unexpected", "keys": "merged",
		"e": `in macro "inner", line 1, column 1: unknown field "open.file.pth"`,
	} {
		if o := outcome(t, rs, id); !strings.Contains(o.Message, want) && id != "broken" || o.Status != Failed {
			t.Errorf("%s: %v", id, o)
		}
	}
	e := &testEvent{File: testFile{Name: "dash", Path: "/root/.ssh/a/b"}, Flags: 2}
	var hits []string
	rs.Evaluate(e, "open", func(r *Rule[testEvent]) { hits = append(hits, r.Def.ID) })
	if !slices.Equal(hits, []string{"a", "b"}) {
		t.Errorf("hits %q", hits)
	}
}

func TestBrokenPoliciesNameThePlace(t *testing.T) {
	for name, row := range map[string]struct {
		content, id, message string
		line                 int
	}{
		"yaml":             {"rules:\n\t- id: a\n", "", "cannot start any token", 2},
		"empty":            {"", "", "empty", 0},
		"no mapping":       {"- a", "", "not a mapping", 1},
		"no list":          {"rules: 3", "", "not a list", 1},
		"unknown key":      {"version: 1\nrule: []", "", "no key of a policy", 2},
		"two documents":    {"version: 1\n---\nrules: []", "", "first YAML document", 2},
		"no id":            {"rules:\n  - expression: open.retval == 1", "", "id is missing", 2},
		"bad id":           {"rules:\n  - id: a-b\n    expression: open.retval == 1", "a-b", "letters", 2},
		"type":             {"rules:\n  - id: a\n    expression: [x]\n", "a", "cannot unmarshal", 2},
		"no expression":    {"rules: [{id: a}]", "a", "no expression", 1},
		"second line":      {"rules:\n  - id: a\n    expression: |\n      open.retval == 1 &&\n      nothing == 2\n", "a", "nothing", 5},
		"same line":        {"rules:\n  - id: a\n    expression: open.retval == 1 && nothing == 2\n", "a", "nothing", 3},
		"two actions":      {"rules: [{id: a, expression: open.retval == 1, actions: [{kill: {}, log: {level: info}}]}]", "a", "exactly one", 1},
		"signal":           {"rules: [{id: a, expression: open.retval == 1, actions: [{kill: {signal: SIGNO}}]}]", "a", "unknown signal", 1},
		"scope":            {"rules: [{id: a, expression: open.retval == 1, actions: [{set: {name: x, value: 1, scope: pod}}]}]", "a", "scope", 1},
		"list of bool":     {"rules: [{id: a, expression: open.retval == 1, actions: [{set: {name: x, value: [true]}}]}]", "a", "no list", 1},
		"set without type": {"rules: [{id: a, expression: open.retval == 1, actions: [{set: {name: x, expression: '1'}}]}]", "a", "default_value", 1},
		"hash of nothing":  {"rules: [{id: a, expression: open.retval == 1, actions: [{hash: {field: connect.addr}}]}]", "a", "not a file", 1},
		"action filter":    {"rules: [{id: a, expression: open.retval == 1, actions: [{log: {level: info}, filter: exec.uid == 1}]}]", "a", "one event type", 1},
		"reserved":         {"rules: [{id: ruleset_loaded, expression: open.retval == 1}]", "ruleset_loaded", "reserved", 1},
		"every":            {"rules: [{id: a, expression: open.retval == 1, every: soon}]", "a", "soon", 1},
		"agent version":    {"rules: [{id: a, expression: open.retval == 1, agent_version: '> seven'}]", "a", "not a version", 1},
		"filter":           {"rules: [{id: a, expression: open.retval == 1, filters: [os = 1]}]", "a", "filters", 1},
	} {
		rs := ruleSet(Options{AgentVersion: "7.60.1"}, row.content+"\n")
		o := outcome(t, rs, row.id)
		if o.Status != Failed || !strings.Contains(o.Message, row.message) || o.Line != row.line {
			t.Errorf("%s: %v", name, o)
		}
	}
}

func TestOneBrokenRuleLeavesTheOthers(t *testing.T) {
	rs := ruleSet(Options{}, `
rules:
  - id: a
    expression: [broken]
  - id: b
    expression: open.retval == 1
    unheard_of: 1
  - nonsense
`)
	if got := loaded(rs); !slices.Equal(got, []string{"b"}) {
		t.Fatalf("loaded %q: %v", got, rs.Outcomes)
	}
	if o := outcome(t, rs, "b"); len(o.Warnings) != 1 || !strings.Contains(o.Warnings[0], "unheard_of") {
		t.Errorf("warnings %q", o.Warnings)
	}
}

func TestFiltersAndVersions(t *testing.T) {
	host := Host{OS: "linux", Origin: "ebpfless", ID: "debian", VersionID: "12", Kernel: [4]int64{6, 1}}
	for header, want := range map[string]bool{
		`agent_version: ">= 7.38"`:                            true,
		`agent_version: ">= 7.38, < 7.60"`:                    false,
		`agent_version: "< 7.20 || ~7.60"`:                    true,
		`agent_version: "^8"`:                                 false,
		`agent_version: "> = 7.60.1"`:                         true,
		`filters: ['os == "linux"']`:                          true,
		`filters: ['origin == "ebpf"', 'os.is_debian']`:       true,
		`filters: ['os.is_rhel7 || os.is_sles12']`:            false,
		`filters: ['kernel.version.major < 5']`:               false,
		`filters: ['os.version_id =~ "1*" && origin != "x"']`: true,
	} {
		rs := ruleSet(Options{AgentVersion: "7.60.1", Host: host}, "rules: [{id: a, expression: open.retval == 1, "+header+"}]")
		if got := len(rs.Rules) == 1; got != want {
			t.Errorf("%s: %v", header, rs.Outcomes)
		}
	}
}

func TestLoadDirOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.policy", "z.policy", "default.policy", "readme.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("version: 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "m.policy")); err != nil {
		t.Fatal(err)
	}
	policies, err := LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range policies {
		names = append(names, p.Name)
	}
	if want := []string{"default.policy", "a.policy", "m.policy", "z.policy"}; !slices.Equal(names, want) {
		t.Errorf("order %q", names)
	}
	if o := policies[2].Outcomes; len(o) != 1 || o[0].Status != Failed {
		t.Errorf("a device is read as a policy: %v", o)
	}
}

func TestFIM(t *testing.T) {
	m := newTestModel()
	rs := NewRuleSet(m, []*Policy{ParsePolicy("a", []byte(
		`rules: [{id: r, expression: 'fim.write.file.path == "/etc/passwd"', group_id: g}]`))}, Options{})
	if got := loaded(rs); !slices.Equal(got, []string{"__fim_expanded_open_g_r"}) || rs.OpenFlags() == 0 {
		t.Errorf("loaded %q, flags %#x", got, rs.OpenFlags())
	}
	if rs.Rules[0].Def.OriginalID != "r" {
		t.Errorf("original id %q", rs.Rules[0].Def.OriginalID)
	}
}

// FuzzPolicy holds the loader to its promise that no file breaks it or holds it up, and that whatever loads can be
// evaluated.
func FuzzPolicy(f *testing.F) {
	f.Add([]byte(oneRule))
	f.Add([]byte("macros: [{id: m, values: [a]}]\nrules:\n  - &r {id: a, expression: open.file.name in m}\n  - *r\n  - <<: *r\n    id: b\n"))
	f.Add([]byte(`rules: [{id: a, expression: 'open.retval == ${x}', actions: [{set: {name: x, value: 1, append: true, ttl: 10s}, filter: process.uid == 0}]}]`))
	f.Add([]byte(`rules: [{id: a, expression: 'fim.write.file.path == ~"/etc/*"', limiter_token: [process.pid], agent_version: ">= 7", filters: [os.is_cos]}]`))
	for _, row := range hostile {
		if content := row.content(); len(content) < 64<<10 {
			f.Add([]byte(content))
		}
	}
	m := newTestModel()
	f.Fuzz(func(t *testing.T, content []byte) {
		start := time.Now()
		rs := NewRuleSet(m, []*Policy{ParsePolicy("f.policy", content)}, Options{AgentVersion: "7.60.0"})
		for _, o := range rs.Outcomes {
			if o.Status == Failed && o.Message == "" {
				t.Fatalf("an error without a message: %+v", o)
			}
			_ = o.String()
		}
		for _, event := range rs.EventTypes() {
			rs.Evaluate(conformanceEvent(), event, func(r *Rule[testEvent]) { r.Program.Explain(conformanceEvent()) })
		}
		if took := time.Since(start); took > hostileTime {
			t.Fatalf("%d bytes took %v", len(content), took)
		}
	})
}

func TestWhatIsNoFileIsRefusedAtOnce(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo.policy")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, "/dev/zero", t.TempDir()} {
		begun := time.Now()
		p := LoadFile(path)
		if len(p.Outcomes) != 1 || !strings.Contains(p.Outcomes[0].Message, "not a regular file") || time.Since(begun) > 10*time.Second {
			t.Errorf("%s: %v after %v", path, p.Outcomes, time.Since(begun))
		}
	}
}
