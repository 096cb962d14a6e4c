package secl

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// signalModel has what the filter can see of a signal, and something else.
func signalModel() *Model[testEvent] {
	m := NewModel[testEvent]()
	Under(m, "signal.", "signal", func(e *testEvent) *testEvent { return e }, []Getter[testEvent, testEvent]{
		Int("type", func(_, e *testEvent) int64 { return e.Flags }),
		Int("pid", func(_, e *testEvent) int64 { return e.Port }),
	})
	return m
}

func signalSet(expressions ...string) *RuleSet[testEvent] {
	content := "rules:\n"
	for i, e := range expressions {
		content += fmt.Sprintf("  - {id: r%d, expression: '%s'}\n", i, e)
	}
	return NewRuleSet(signalModel(), []*Policy{ParsePolicy("signals.policy", []byte(content))}, Options{})
}

func TestSignalsThatRulesCanHit(t *testing.T) {
	const kill, term, stop = 1 << 9, 1 << 15, 1 << 19
	for _, c := range []struct {
		expressions []string
		want        uint64
	}{
		{[]string{`signal.type == SIGKILL`}, kill},
		{[]string{`SIGKILL == signal.type && signal.pid == 1`}, kill},
		{[]string{`signal.type in [SIGKILL, SIGSTOP]`}, kill | stop},
		{[]string{`signal.type == SIGKILL`, `signal.type == SIGTERM && signal.pid > 1`}, kill | term},
		{[]string{`signal.type == SIGKILL`, `signal.pid == 1`}, 0},
		{[]string{`signal.type == SIGKILL || signal.pid == 1`}, 0},
		{[]string{`!(signal.type != SIGKILL)`}, kill},
		{[]string{`signal.type not in [SIGKILL]`}, ^uint64(kill)},
		{[]string{`signal.type > 0`}, ^uint64(1)},
		{[]string{`signal.type < 2`}, 3},
		{[]string{`signal.type & 8 > 0`}, 0}, // computed: nothing is concluded
	} {
		rs := signalSet(c.expressions...)
		if got := rs.Signals(); got != c.want || len(rs.Rules) != len(c.expressions) {
			t.Errorf("%q: %#x, want %#x", c.expressions, got, c.want)
		}
	}
}

// randomSignals writes an expression over both fields.
func randomSignals(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		left, right := randomSignals(r, depth-1), randomSignals(r, depth-1)
		return []string{"(" + left + " && " + right + ")", "(" + left + " || " + right + ")", "!(" + left + ")"}[r.IntN(3)]
	}
	field := []string{"signal.type", "signal.type", "signal.pid"}[r.IntN(3)]
	if r.IntN(3) == 0 {
		var list []string
		for range 1 + r.IntN(3) {
			list = append(list, fmt.Sprint(r.IntN(68)))
		}
		return field + []string{" in [", " not in ["}[r.IntN(2)] + strings.Join(list, ", ") + "]"
	}
	return fmt.Sprintf("%s %s %d", field, []string{"==", "!=", "<", "<=", ">", ">="}[r.IntN(6)], r.IntN(68))
}

// No signal that a rule would hit is one that the filter lets pass.
func TestNoSignalThatARuleHitsIsCut(t *testing.T) {
	hits, narrowed := 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		expressions := []string{randomSignals(r, 4), randomSignals(r, 2)}
		rs := signalSet(expressions...)
		if len(rs.Rules) != len(expressions) {
			t.Fatalf("%q: %v", expressions, rs.Outcomes)
		}
		asked := rs.Signals()
		if asked != 0 {
			narrowed++
		}
		for number := range int64(70) {
			hit := false
			rs.Evaluate(&testEvent{Flags: number, Port: r.Int64N(68)}, "signal", func(*Rule[testEvent]) { hit = true })
			if hit {
				hits++
			}
			if hit && asked != 0 && number < 64 && asked>>number&1 == 0 {
				t.Fatalf("%q hits signal %d, but %#x are asked for", expressions, number, asked)
			}
		}
	}
	if hits == 0 || narrowed == 0 {
		t.Errorf("%d hits, %d sets narrowed: nothing is shown", hits, narrowed)
	}
}
