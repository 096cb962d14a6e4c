package secl

import (
	"math/bits"
	"slices"
)

// Rule is a loaded rule.
type Rule[C any] struct {
	Def     *RuleDef
	Program *Program[C]
	Actions []*BoundAction[C]

	token []part[C]
}

// Token gives what the rule's limiter_token stands for in c: Every counts for each token apart. It is "" for rules
// without one.
func (r *Rule[C]) Token(c *C) string {
	if len(r.token) == 0 {
		return ""
	}
	m := r.Program.model
	s := m.begin(c)
	defer m.end(s)
	var out []byte
	for _, p := range r.token {
		out = p(s, out)
	}
	return string(out)
}

// RuleSet holds the rules that are in force. It is immutable and safe for concurrent use; a reload makes a new one.
type RuleSet[C any] struct {
	Rules     []*Rule[C]
	Outcomes  []Outcome // one for each definition and each file in error
	Variables []*VariableSpec

	model   *Model[C]
	buckets map[string]*bucket[C]
}

// Options are the facts of this host and agent that decide which rules count.
type Options struct {
	AgentVersion  string // compared with agent_version of rules; "" accepts every rule
	Host          Host   // what filters ask about
	NoEnforcement bool   // rules with a kill action are refused
}

// NewRuleSet judges and compiles the policies' rules. It always gives a rule set; what is wrong with single rules is
// in its Outcomes.
func NewRuleSet[C any](m *Model[C], policies []*Policy, o Options) *RuleSet[C] {
	rs := &RuleSet[C]{model: m, buckets: make(map[string]*bucket[C])}
	a := &assembly[C]{
		rs: rs, options: o, byID: make(map[string]*RuleDef), macros: make(map[string]*MacroDef),
		env: &Env{Macros: make(map[string]*Macro), Variables: make(map[string]*VariableSpec)},
	}
	a.gather(policies)
	a.parseMacros()
	a.load()
	rs.fill()
	return rs
}

// Evaluate calls hit for every rule of the event's type that is true for c. hit must not keep c.
func (rs *RuleSet[C]) Evaluate(c *C, eventType string, hit func(*Rule[C])) {
	b := rs.buckets[eventType]
	if b == nil {
		return
	}
	s := rs.model.begin(c)
	defer rs.model.end(s)
	b.choose(s)
	for word, chosen := range s.chosen {
		for ; chosen != 0; chosen &= chosen - 1 {
			r := b.rules[64*word+bits.TrailingZeros64(chosen)]
			s.element = nil
			if r.Program.eval(s) {
				hit(r)
			}
		}
	}
}

// EventTypes lists, sorted, the event types that rules ask for.
func (rs *RuleSet[C]) EventTypes() []string {
	var types []string
	for t := range rs.buckets {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// OpenFlags gives the bits of open(2)'s flags of which an open must have one for any rule to hit; 0 when every open
// counts.
func (rs *RuleSet[C]) OpenFlags() uint32 { return uint32(rs.demand("open").any) }

// SparedOpens gives flags of open(2) such that no rule can hit an open that has any of the first and none of the second;
// 0 for the first where there are no such opens.
func (rs *RuleSet[C]) SparedOpens() (having, unless uint32) {
	having = ^uint32(0)
	for _, d := range rs.demands("open") {
		unless |= uint32(d.any)
		if d.any == 0 {
			having &= uint32(d.none)
		}
	}
	if having == ^uint32(0) { // every rule asks for bits: what OpenFlags tells says it all
		return 0, 0
	}
	return having &^ unless, unless
}

// Signals gives the signals, 1<<number each, that any rule can hit; 0 when every signal counts. Numbers from 64 count
// always.
func (rs *RuleSet[C]) Signals() uint64 { return rs.demand("signal").any }

// demands are those of all rules of an event type.
func (rs *RuleSet[C]) demands(event string) (list []demand) {
	if b := rs.buckets[event]; b != nil {
		for _, r := range b.rules {
			list = append(list, r.Program.need.whenTrue)
		}
	}
	return list
}

// demand is what all rules of an event type have in common.
func (rs *RuleSet[C]) demand(event string) (all demand) {
	for i, d := range rs.demands(event) {
		if i == 0 {
			all = d
		}
		all = all.or(d)
	}
	return all
}
