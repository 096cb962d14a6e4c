package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/ebpfless/ebpfless/tests/stage"
)

// report prints as it goes, and counts what is wrong.
type report struct {
	verbose   bool
	tried     int
	failed    []string
	unshown   []string
	technique map[string][]string // rules by technique
}

// try performs all acts of a rule's trial and prints its row.
func (r *report) try(th *theatre, rule *secl.Rule[probe.Context], t *trial) {
	id := rule.Def.ID
	r.note(rule.Def)
	if t == nil {
		r.row(id, rule.Def, "FAILED: "+trialsDir+"/"+id+".txtar does not exist")
		r.failed = append(r.failed, id)
		return
	}
	if lack := t.missing(); lack != "" {
		r.row(id, rule.Def, "NOT SHOWN: "+lack)
		r.unshown = append(r.unshown, id)
		return
	}
	r.tried++
	var wrong []string
	for _, a := range t.acts {
		out, err := th.perform(t, a)
		var fault string
		if err != nil {
			fault = err.Error()
		} else {
			fault = judge(t, a, rule.Program.Event, out)
		}
		if fault != "" {
			wrong = append(wrong, a.name+": "+fault)
		}
		if r.verbose && out != nil {
			fmt.Printf("--- %s: %s: status %d, rules %v, events %v\n%s\n", id, a.name, out.status, out.rules, out.kinds, out.output)
		}
	}
	verdict := "ok"
	if len(wrong) > 0 {
		verdict = "FAILED: " + strings.Join(wrong, "; ")
		r.failed = append(r.failed, id)
	}
	r.row(id, rule.Def, fmt.Sprintf("%d attacks, %d look-alikes: %s", t.count(true), t.count(false), verdict))
}

func (r *report) row(id string, def *secl.RuleDef, verdict string) {
	fmt.Printf("%-36s %-11s %-9s %s\n", id, def.Tags["technique"], def.Tags["severity"], verdict)
}

// tags are what every rule must have.
var tags = []string{"tactic", "technique", "severity"}

// note files a rule under its technique; a rule without one has failed.
func (r *report) note(def *secl.RuleDef) {
	if r.technique == nil {
		r.technique = map[string][]string{}
	}
	name := def.Tags["technique"]
	if before := def.Tags["technique_before"]; before != "" {
		name += " (before: " + before + ")"
	}
	r.technique[name] = append(r.technique[name], def.ID)
	for _, tag := range tags {
		if def.Tags[tag] == "" {
			fmt.Printf("%-36s FAILED: it has no tag %s\n", def.ID, tag)
			r.failed = append(r.failed, def.ID)
		}
	}
}

// strangers finds trials of rules that the policy hasn't.
func (r *report) strangers(trials map[string]*trial, rules *stage.Rules) {
	for id := range trials {
		if !slices.ContainsFunc(rules.Rules, func(rule *secl.Rule[probe.Context]) bool { return rule.Def.ID == id }) {
			fmt.Printf("%-36s FAILED: the policy has no such rule\n", id)
			r.failed = append(r.failed, id)
		}
	}
}

// finish prints the techniques and the sum, and gives the exit status.
func (r *report) finish() int {
	names := make([]string, 0, len(r.technique))
	for name := range r.technique {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Printf("\n%d techniques:\n", len(names))
	for _, name := range names {
		fmt.Printf("%-36s %s\n", name, strings.Join(r.technique[name], ", "))
	}
	fmt.Printf("\n%d rules tried, %d failed\n", r.tried, len(r.failed))
	if len(r.unshown) > 0 {
		fmt.Printf("NOT SHOWN on this machine: %s\n", strings.Join(r.unshown, ", "))
	}
	if len(r.failed) > 0 || r.tried == 0 {
		fmt.Println("failed:", strings.Join(r.failed, ", "))
		return 1
	}
	return 0
}
