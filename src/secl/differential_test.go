package secl

import (
	"fmt"
	"net/netip"
	"testing"
)

// newRandomModel gives open events every type of field, so that one expression can mix them.
func newRandomModel() *Model[testEvent] {
	m := newTestModel()
	Under(m, "open.", "open", func(e *testEvent) *testEvent { return e }, []Getter[testEvent, testEvent]{
		Addr("addr", func(_, e *testEvent) netip.Addr { return e.IP }),
		Addrs("addrs", func(_, e *testEvent) []netip.Prefix { return e.IPs }),
		Ints("numbers", func(_, e *testEvent) []int64 { return e.Immediates }),
	})
	return m
}

// checkSeed compiles the expression of a seed and compares closures with the tree-walking evaluator on some events. It
// holds the approver to its promise too: an open without the flags that it names never hits.
func checkSeed(t *testing.T, m *Model[testEvent], seed uint64) (hits, excluded int) {
	r := newRandom(seed)
	source := r.expression(1 + r.IntN(5))
	n, err := Parse(source)
	if err != nil {
		t.Fatalf("seed %d: %s: %v", seed, source, err)
	}
	p, err := Compile(m, source, &Env{AnyEvent: true})
	if err != nil {
		t.Fatalf("seed %d: %s: %v", seed, source, err)
	}
	for range 20 {
		e := r.event()
		got, want := p.Eval(e), walk(n, e)
		if got != want {
			t.Fatalf("seed %d: %s is %v, the tree says %v\n%+v", seed, source, got, want, e)
		}
		outside := p.need.whenTrue != 0 && uint32(e.Flags)&p.need.whenTrue == 0
		if outside && want {
			t.Fatalf("seed %d: %s hits with flags %#x, but the approver asks for %#x", seed, source, e.Flags, p.need.whenTrue)
		}
		if !want && len(p.Explain(e)) > 0 {
			t.Fatalf("seed %d: %s doesn't hit, yet %v explains it", seed, source, p.Explain(e))
		}
		if want {
			hits++
		}
		if outside {
			excluded++
		}
	}
	return hits, excluded
}

func TestClosuresAgreeWithTheTree(t *testing.T) {
	m := newRandomModel()
	seeds := uint64(20_000)
	if testing.Short() {
		seeds = 1_000
	}
	var hits, excluded int
	for seed := range seeds {
		h, x := checkSeed(t, m, seed)
		hits, excluded = hits+h, excluded+x
	}
	// A generator that never hits, or that the approver never narrows, would prove nothing.
	if hits == 0 || excluded == 0 {
		t.Errorf("%d hits, %d events excluded by the approver", hits, excluded)
	}
}

// TestApproverExcludesNoHit loads random rule sets, because the flags of a set are worked out from those of its rules.
func TestApproverExcludesNoHit(t *testing.T) {
	m := newRandomModel()
	var hits, narrowed int
	for seed := range uint64(2000) {
		r := newRandom(seed)
		content := "rules:\n"
		for i := range 1 + r.IntN(3) {
			content += fmt.Sprintf("  - {id: r%d, expression: '%s'}\n", i, r.expression(3))
		}
		rs := NewRuleSet(m, []*Policy{ParsePolicy("random.policy", []byte(content))}, Options{})
		flags := rs.OpenFlags()
		if flags != 0 {
			narrowed++
		}
		for range 20 {
			e := r.event()
			rs.Evaluate(e, "open", func(rule *Rule[testEvent]) {
				hits++
				if flags != 0 && uint32(e.Flags)&flags == 0 {
					t.Fatalf("seed %d: %s hits with flags %#x, but %#x are asked for", seed, rule.Def.Expression, e.Flags, flags)
				}
			})
		}
	}
	if hits == 0 || narrowed == 0 {
		t.Errorf("%d hits, %d sets narrowed", hits, narrowed)
	}
}

func FuzzClosuresAgreeWithTheTree(f *testing.F) {
	m := newRandomModel()
	f.Add(uint64(0))
	f.Fuzz(func(t *testing.T, seed uint64) { checkSeed(t, m, seed) })
}
