package main

import (
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/tests/stage"
)

// The rest needs root; that no rule is forgotten doesn't.
func TestEveryRuleHasATrialAndTags(t *testing.T) {
	rules, err := stage.Load("../../" + stage.Policy)
	if err != nil {
		t.Fatal(err)
	}
	trials, err := readTrials("cases")
	if err != nil {
		t.Fatal(err)
	}
	const atLeast = 60
	if len(rules.Rules) < atLeast || len(rules.Rules) != len(trials) {
		t.Errorf("%d rules, at least %d expected; %d trials", len(rules.Rules), atLeast, len(trials))
	}
	for _, rule := range rules.Rules {
		if trials[rule.Def.ID] == nil {
			t.Errorf("rule %s has no trial", rule.Def.ID)
		}
		for _, tag := range tags {
			if rule.Def.Tags[tag] == "" {
				t.Errorf("rule %s has no tag %s", rule.Def.ID, tag)
			}
		}
	}
}

func TestTrialsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"-- attack --\ntrue\n":                                     "0 benign",
		"-- benign --\ntrue\n":                                     "0 attacks",
		"-- attack --\n-- benign --\n-- atack --\n":                "neither",
		"needs: luck\n-- attack --\ntrue\n-- benign --\ntrue\n":    "",
		"-- attack as nobody --\ntrue\n-- benign again --\ntrue\n": "",
	} {
		_, err := parseTrial("x", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestJudgeRefusesWhatIsNotPrecise(t *testing.T) {
	hostile, benign := act{hostile: true}, act{}
	it := &trial{rule: "it"}
	opened := map[string]uint64{"open": 1}
	for _, c := range []struct {
		act  act
		out  outcome
		fine bool
	}{
		{hostile, outcome{rules: []string{"it"}, kinds: opened}, true},
		{hostile, outcome{rules: []string{"it", "other"}, kinds: opened}, false},
		{hostile, outcome{rules: []string{"other"}, kinds: opened}, false},
		{hostile, outcome{kinds: opened}, false},
		{hostile, outcome{rules: []string{"it"}, kinds: opened, status: 1}, false},
		{benign, outcome{kinds: opened}, true},
		{benign, outcome{rules: []string{"other"}, kinds: opened}, false},
		{benign, outcome{kinds: map[string]uint64{"exec": 1}}, false},
		{benign, outcome{kinds: opened, status: -1}, false},
	} {
		if fault := judge(it, c.act, "open", &c.out); (fault == "") != c.fine {
			t.Errorf("%+v %+v: %q", c.act, c.out, fault)
		}
	}
}
