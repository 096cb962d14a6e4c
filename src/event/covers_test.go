package event

import "testing"

func TestAnInterestCoversWhatAsksForNoMore(t *testing.T) {
	opens, both := SetOf(Open), SetOf(Open, Unlink)
	for _, c := range []struct {
		name     string
		i, other Interest
		want     bool
	}{
		{"everything", All(), Interest{Kinds: both, OpenFlags: 2, Signals: 4}, true},
		{"itself", Interest{Kinds: opens, OpenFlags: 3}, Interest{Kinds: opens, OpenFlags: 3}, true},
		{"another kind", Interest{Kinds: opens}, Interest{Kinds: both}, false},
		{"another flag", Interest{Kinds: opens, OpenFlags: 1}, Interest{Kinds: opens, OpenFlags: 3}, false},
		{"any flag", Interest{Kinds: opens, OpenFlags: 1}, Interest{Kinds: opens}, false},
		{"folders too", Interest{Kinds: opens, SparedOpens: 4}, Interest{Kinds: opens}, false},
		{"no folders either", Interest{Kinds: opens, SparedOpens: 4}, Interest{Kinds: opens, SparedOpens: 4}, true},
		{"folders when written", Interest{Kinds: opens, SparedOpens: 4}, Interest{Kinds: opens, SparedOpens: 4, UnlessOpens: 1}, false},
		{"another signal", Interest{Kinds: SetOf(Signal), Signals: 1}, Interest{Kinds: SetOf(Signal), Signals: 3}, false},
		{"flags of no kind", Interest{Kinds: opens}, Interest{Kinds: opens, Signals: 1}, true},
	} {
		if got := c.i.Covers(&c.other); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
