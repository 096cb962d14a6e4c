package secl

import (
	"testing"
	"time"
)

func TestDurationsWithoutUnitCountNanoseconds(t *testing.T) {
	for every, want := range map[string]time.Duration{"60000000000": time.Minute, "1m": time.Minute, "0": 0} {
		p := ParsePolicy("x.policy", []byte("rules:\n  - id: it\n    expression: exec.comm == \"x\"\n    every: "+every+
			"\n    actions:\n      - set: {name: v, value: 1, ttl: "+every+"}\n      - hash: {}\n"))
		if len(p.Rules) != 1 {
			t.Errorf("every %s: refused", every)
			continue
		}
		if rule := p.Rules[0]; rule.Every != want || rule.Actions[0].Set.TTL != want {
			t.Errorf("every %s: %v and %v, want %v", every, rule.Every, rule.Actions[0].Set.TTL, want)
		}
	}
	for _, every := range []string{"soon", "1.5", "[1]", "-5"} {
		if p := ParsePolicy("x.policy", []byte("rules:\n  - id: it\n    expression: exec.comm == \"x\"\n    every: "+every+"\n")); len(p.Rules) != 0 {
			t.Errorf("every %s was taken as %v", every, p.Rules[0].Every)
		}
	}
}
