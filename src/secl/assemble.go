package secl

import (
	"fmt"
	"slices"
)

// reservedIDs belong to the events that the probe itself makes.
var reservedIDs = []string{
	"abnormal_path", "anomaly_detection", "event_monitoring", "failed_dns", "heartbeat", "internal_core_dump",
	"lost_events_read", "lost_events_write", "noisy_process", "raw_packet_action", "remediation_status",
	"ruleset_loaded", "self_test", "sysctl_snapshot",
}

// assembly is a rule set being made.
type assembly[C any] struct {
	rs      *RuleSet[C]
	env     *Env
	options Options
	rules   []*RuleDef // one for each id, in order of their first definition
	byID    map[string]*RuleDef
	macros  map[string]*MacroDef
	order   []*MacroDef
}

// gather merges the definitions of all policies.
func (a *assembly[C]) gather(policies []*Policy) {
	for _, p := range policies {
		a.rs.Outcomes = append(a.rs.Outcomes, p.Outcomes...)
		for _, m := range p.Macros {
			a.gatherMacro(m)
		}
	}
	for _, p := range policies {
		for _, r := range p.Rules {
			a.gatherRule(r)
		}
	}
}

func (a *assembly[C]) gatherMacro(def *MacroDef) {
	o := Outcome{Policy: def.Policy.Name, File: def.Policy.File, RuleID: def.ID, Macro: true, Place: def.At}
	first := a.macros[def.ID]
	reason, err := a.options.judge(def.AgentVersion, def.Filters)
	switch {
	case err != nil:
		a.failed(o, err, def.At)
	case reason != "":
		a.filtered(o, reason)
	case first != nil:
		if err := combineMacro(first, def); err != nil {
			a.failed(o, err, def.At)
		}
	case len(a.order) == maxRules:
		a.failed(o, fmt.Errorf("there are more than %d macros", maxRules), def.At)
	default:
		own := *def
		a.macros[def.ID] = &own
		a.order = append(a.order, &own)
	}
}

func (a *assembly[C]) gatherRule(def *RuleDef) {
	o := def.outcome()
	first := a.byID[def.ID]
	reason, err := a.options.judge(def.AgentVersion, def.Filters)
	switch {
	case err != nil:
		a.failed(o, err, def.At)
	case reason != "":
		a.filtered(o, reason)
	case slices.Contains(reservedIDs, def.ID):
		a.failed(o, fmt.Errorf("id %q is reserved for events of the probe", def.ID), def.At)
	case first != nil:
		if ignored := combineRule(first, def); ignored != "" {
			a.filtered(o, ignored)
		}
	case len(a.rules) == maxRules:
		a.failed(o, fmt.Errorf("there are more than %d rules", maxRules), def.At)
	default:
		own := *def
		a.byID[def.ID] = &own
		a.rules = append(a.rules, &own)
	}
}

// judge tells why a definition is not for this agent or host; "" when it is.
func (o *Options) judge(constraint string, filters []string) (reason string, err error) {
	if constraint != "" && o.AgentVersion != "" {
		ok, err := satisfies(o.AgentVersion, constraint)
		if err != nil {
			return "", fmt.Errorf("agent_version: %w", err)
		}
		if !ok {
			return fmt.Sprintf("agent version %s doesn't meet %q", o.AgentVersion, constraint), nil
		}
	}
	ok, err := o.Host.accepts(filters)
	if err != nil {
		return "", fmt.Errorf("filters: %w", err)
	}
	if !ok {
		return "no filter is true on this host", nil
	}
	return "", nil
}

// parseMacros makes the macros that rules can name.
func (a *assembly[C]) parseMacros() {
	for _, def := range a.order {
		m, err := def.parse()
		if err != nil {
			o := Outcome{Policy: def.Policy.Name, File: def.Policy.File, RuleID: def.ID, Macro: true}
			a.failed(o, err, def.ExprAt)
			continue
		}
		a.env.Macros[def.ID] = m
	}
}

// parse reads a macro's expression, or makes a list of its values.
func (m *MacroDef) parse() (*Macro, error) {
	if m.Expression != "" {
		n, err := ParseMacro(m.Expression)
		return &Macro{m.ID, m.Expression, n}, err
	}
	if len(m.Values) > maxList {
		return nil, fmt.Errorf("macro has more than %d values", maxList)
	}
	list := &List{}
	for _, text := range m.Values {
		list.Items = append(list.Items, &StringLiteral{Text: text})
	}
	return &Macro{m.ID, "", list}, nil
}

func (r *RuleDef) outcome() Outcome {
	return Outcome{Policy: r.Policy.Name, File: r.Policy.File, RuleID: r.ID, Rule: r, Place: r.At}
}

func (a *assembly[C]) filtered(o Outcome, reason string) {
	o.Status, o.Message = Filtered, reason
	a.rs.Outcomes = append(a.rs.Outcomes, o)
}

// failed records an error; one of an expression is put where the expression, which starts at expr, stands in the file.
func (a *assembly[C]) failed(o Outcome, err error, expr Place) {
	o.Status, o.Message = Failed, err.Error()
	if o.Line == 0 {
		o.Place = expr
	}
	// A wrapped error is of another expression than the definition's own, a filter's for example.
	if at, ok := err.(*Error); ok {
		o.Message, o.Caret, o.Place = at.Message, at.Caret(), expr
		o.Line += at.Line() - 1
		o.Column = at.Column()
		if at.Line() == 1 {
			o.Column += expr.Column - 1
		}
	}
	a.rs.Outcomes = append(a.rs.Outcomes, o)
}
