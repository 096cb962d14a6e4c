package secl

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What a policy file may cost at most, whatever is in it.
const (
	hostileTime   = 10 * time.Second // on a machine that does other things too; each takes less than one alone
	hostileMemory = 1 << 30          // bytes allocated in all, most of which lives for a moment
)

func oneRuleOf(expression string) string {
	return "rules:\n  - id: r\n    expression: '" + strings.ReplaceAll(expression, "'", "''") + "'\n"
}

// manyRules writes n of them.
func manyRules(n int, expression func(int) string) string {
	var b strings.Builder
	b.WriteString("rules:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {id: r%d, expression: '%s'}\n", i, expression(i))
	}
	return b.String()
}

// bomb is a list whose elements are ten times the list before.
func bomb() string {
	text := "a0: &a0 [x]\n"
	for i := range 12 {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return text + "macros: [{id: m, values: *a12}]\n" + "rules: *a12\n"
}

// hostile are files that were made to hurt. refused is what is said of them; empty where they load and are bounded.
var hostile = map[string]struct {
	content func() string
	refused string
}{
	"10 MB": {func() string { return strings.Repeat("# nothing\n", 1<<20) }, "larger than"},
	"4 MB of rules": {func() string {
		return manyRules(40_000, func(i int) string { return fmt.Sprintf(`open.retval == %d`, i) })
	}, "more than 16384 rules"},
	"16,000 globs": {func() string {
		return manyRules(16_000, func(i int) string { return fmt.Sprintf(`open.file.path =~ "/*/a%d*/**"`, i) })
	}, ""},
	"beginnings": {func() string {
		return manyRules(1500, func(i int) string { return fmt.Sprintf(`open.file.path == "%s"`, strings.Repeat("a", i)) })
	}, ""},
	"brackets of YAML":   {func() string { return strings.Repeat("[", 1<<20) }, "exceeded"},
	"bomb of aliases":    {bomb, ""},
	"alias of itself":    {func() string { return "rules: &a [*a]" }, ""},
	"rule within itself": {func() string { return "rules: [&a {id: r, expression: open.retval == 1, actions: [*a]}]" }, ""},
	"parentheses": {func() string {
		return oneRuleOf(strings.Repeat("(", 100_000) + "open.retval == 1" + strings.Repeat(")", 100_000))
	}, "nested more than"},
	"negations":    {func() string { return oneRuleOf(strings.Repeat("!", 200_000) + "event.async") }, "nested more than"},
	"a long chain": {func() string { return oneRuleOf(strings.Repeat(`open.retval == 1 || `, 12_000) + "open.retval == 2") }, ""},
	"a long chain of text": {func() string {
		return oneRuleOf(strings.Repeat(`open.file.name == "a" || `, 10_000) + `open.file.name == "b"`)
	}, ""},
	"a huge list":         {func() string { return oneRuleOf("open.retval in [1" + strings.Repeat(", 1", 60_000) + "]") }, "more than 16384 values"},
	"a huge regexp":       {func() string { return oneRuleOf(`open.file.name =~ r"` + strings.Repeat("(a|b)*", 2_000) + `"`) }, "more than 4096"},
	"repeated repetition": {func() string { return oneRuleOf(`open.file.name =~ r"((((a{100}){100}){100}){100})"`) }, "invalid repeat"},
	"regexps": {func() string {
		return manyRules(2_000, func(i int) string { return `open.file.name =~ r"(a{30}|b{30}){30}"` })
	}, ""},
	"catastrophic regexp": {func() string { return oneRuleOf(`open.file.name =~ r"^(a+)+(a*)*(a|a)*$"`) }, ""},
	"stars":               {func() string { return oneRuleOf(`open.file.name =~ "` + strings.Repeat("*a", 60_000) + `*b"`) }, ""},
	"stars in elements":   {func() string { return oneRuleOf(`open.file.path =~ "` + strings.Repeat("/*a*a*a", 10_000) + `"`) }, ""},
	"macro of itself":     {func() string { return "macros: [{id: m, expression: m}]\n" + oneRuleOf("m && open.retval == 1") }, "names itself"},
	"list of itself":      {func() string { return "macros: [{id: m, expression: m}]\n" + oneRuleOf("open.retval in m") }, "names itself"},
	"macros in a circle": {func() string {
		return "macros: [{id: a, expression: b || b}, {id: b, expression: a || a}]\n" + oneRuleOf("a && open.retval == 1")
	}, "names itself"},
	"macros that double": {func() string {
		text := "macros:\n- {id: m0, expression: open.retval == 1}\n"
		for i := range 30 {
			text += fmt.Sprintf("- {id: m%d, expression: m%d || m%d}\n", i+1, i, i)
		}
		return text + manyRules(100, func(int) string { return "m30" })
	}, "more than"},
	"variables in a circle": {func() string {
		return `
rules:
  - id: r
    expression: open.retval == 3 && ${a} >= 0 && ${b} >= 0
    actions:
      - set: {name: a, expression: "${b} + 1", default_value: 0}
      - set: {name: b, expression: "${a} + 1", default_value: 0}
`
	}, ""},
	"names that are nearly right": {func() string {
		return manyRules(16_000, func(i int) string { return fmt.Sprintf("open.file.pat%d == 1", i) })
	}, "unknown field"},
	"a million keys": {func() string { return "rules: [{id: r, " + strings.Repeat("a: 1, ", 300_000) + "expression: x}]" }, "more than 100"},
	"filters": {func() string {
		return "rules: [{id: r, expression: open.retval == 1, filters: [" + strings.Repeat(`'envs == "a"', `, 50_000) + "]}]"
	}, ""},
}

func TestHostilePoliciesAreBounded(t *testing.T) {
	model := newTestModel()
	// The longest name and path that a hostile program can make (NAME_MAX and PATH_MAX of limits.h).
	e := conformanceEvent()
	e.File.Name, e.File.Path = strings.Repeat("a", 255), strings.Repeat("/aaaaaaa", 512)
	for name, row := range hostile {
		t.Run(name, func(t *testing.T) {
			content := []byte(row.content())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			rs := NewRuleSet(model, []*Policy{ParsePolicy("hostile.policy", content)}, Options{Host: Host{OS: "linux"}})
			for event := range rs.buckets {
				rs.Evaluate(e, event, func(*Rule[testEvent]) {})
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; took > hostileTime || used > hostileMemory {
				t.Errorf("%d bytes took %v and %d MB", len(content), took, used>>20)
			}
			if row.refused != "" && !strings.Contains(fmt.Sprint(rs.Outcomes), row.refused) {
				t.Errorf("nothing says %q: %.300s", row.refused, fmt.Sprint(rs.Outcomes))
			}
			if len(rs.Outcomes) == 0 {
				t.Error("nothing is said of it")
			}
		})
	}
}
