package service

import (
	"context"
	"slices"
	"testing"
)

// knowing is an init system whose services have names that it knows.
type knowing struct {
	*fake
	names []string
}

func (k knowing) Knows(name string) bool { return slices.Contains(k.names, name) }
func (k knowing) List(context.Context) ([]Entry, error) {
	var list []Entry
	for name := range k.enabled {
		list = append(list, Entry{Service: name})
	}
	return list, nil
}

func TestPair(t *testing.T) {
	jobs := knowing{fake: &fake{enabled: map[string]bool{}}, names: []string{"job"}}
	scripts := knowing{fake: &fake{enabled: map[string]bool{}}}
	p := Pair{First: jobs, Second: scripts}
	for _, name := range []string{"job", "script"} {
		if err := p.Enable(t.Context(), name, Wrap); err != nil {
			t.Fatal(err)
		}
	}
	if !jobs.enabled["job"] || !scripts.enabled["script"] || len(jobs.enabled)+len(scripts.enabled) != 2 {
		t.Errorf("jobs %v, scripts %v", jobs.enabled, scripts.enabled)
	}
	if list, err := p.List(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	for _, name := range []string{"job", "script"} {
		if err := p.Disable(t.Context(), name, Wrap); err != nil {
			t.Fatal(err)
		}
	}
	if len(jobs.enabled)+len(scripts.enabled) > 0 {
		t.Errorf("left: jobs %v, scripts %v", jobs.enabled, scripts.enabled)
	}
}
