package secl

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
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
	p, err := Compile(m, source, &Env{AnyEvent: true, Variables: randomVariables})
	if err != nil {
		t.Fatalf("seed %d: %s: %v", seed, source, err)
	}
	for range 20 {
		e := r.event()
		r.set(e, []*VariableSpec{randomVariables["words"], randomVariables["process.numbers"], randomVariables["count"]})
		got, want := p.Eval(e), walk(n, e)
		if got != want {
			t.Fatalf("seed %d: %s is %v, the tree says %v\n%+v", seed, source, got, want, e)
		}
		outside := !p.need.whenTrue.met(uint64(uint32(e.Flags)))
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

// checkSet loads the random rules of a seed and asks each of them about some events: the set must hit the same ones,
// though its index passes most over, and no hit may lack the flags that the tracer's filter lets through.
func checkSet(t *testing.T, m *Model[testEvent], seed uint64) (hits, passedOver, narrowed, spared int) {
	r := newRandom(seed)
	content := "rules:" + randomSetters
	for i := range pick(r, 1, 2, 3, 70, 140) {
		expression := r.expression(3)
		if r.IntN(2) == 0 {
			expression = r.texts(3) + " && open.retval >= -1"
		}
		content += fmt.Sprintf("  - {id: r%d, expression: '%s'}\n", i, expression)
	}
	rs := NewRuleSet(m, []*Policy{ParsePolicy("random.policy", []byte(content))}, Options{})
	flags := rs.OpenFlags()
	having, unless := rs.SparedOpens()
	if flags != 0 {
		narrowed = 1
	}
	if having != 0 {
		spared = 1
	}
	for range 20 {
		e := r.event()
		r.set(e, rs.Variables)
		for _, event := range rs.EventTypes() {
			var got, want []string
			rs.Evaluate(e, event, func(rule *Rule[testEvent]) { got = append(got, rule.Def.ID) })
			for _, rule := range rs.buckets[event].rules {
				if rule.Program.Eval(e) {
					want = append(want, rule.Def.ID)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: %s events hit %q, rule by rule %q\n%+v\n%s", seed, event, got, want, e, content)
			}
			if event == "open" && flags != 0 && uint32(e.Flags)&flags == 0 && len(want) > 0 {
				t.Fatalf("seed %d: %q hit with flags %#x, but %#x are asked for\n%s", seed, want, e.Flags, flags, content)
			}
			if event == "open" && uint32(e.Flags)&having != 0 && uint32(e.Flags)&unless == 0 && len(want) > 0 {
				t.Fatalf("seed %d: %q hit with flags %#x, spared are %#x without %#x\n%s", seed, want, e.Flags, having, unless, content)
			}
			hits, passedOver = hits+len(got), passedOver+rs.passedOver(e, event)
		}
	}
	return hits, passedOver, narrowed, spared
}

// passedOver counts the rules that the index doesn't ask.
func (rs *RuleSet[C]) passedOver(c *C, event string) int {
	s := rs.model.begin(c)
	defer rs.model.end(s)
	n := len(rs.buckets[event].rules)
	rs.buckets[event].choose(s)
	for _, word := range s.chosen {
		n -= bits.OnesCount64(word)
	}
	return n
}

func TestSetsHitWhatTheirRulesHit(t *testing.T) {
	m := newRandomModel()
	seeds := uint64(3000)
	if testing.Short() {
		seeds = 300
	}
	var hits, passedOver, narrowed, spared int
	for seed := range seeds {
		h, p, n, s := checkSet(t, m, seed)
		hits, passedOver, narrowed, spared = hits+h, passedOver+p, narrowed+n, spared+s
	}
	if hits == 0 || passedOver == 0 || narrowed == 0 || spared == 0 {
		t.Errorf("%d hits, %d rules passed over, %d sets narrowed, %d with spared opens: nothing is shown", hits, passedOver, narrowed, spared)
	}
}

func FuzzSetsHitWhatTheirRulesHit(f *testing.F) {
	m := newRandomModel()
	f.Add(uint64(0))
	f.Fuzz(func(t *testing.T, seed uint64) { checkSet(t, m, seed) })
}

func FuzzClosuresAgreeWithTheTree(f *testing.F) {
	m := newRandomModel()
	f.Add(uint64(0))
	f.Fuzz(func(t *testing.T, seed uint64) { checkSeed(t, m, seed) })
}
