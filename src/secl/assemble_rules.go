package secl

import (
	"errors"
	"fmt"
	"slices"
)

// load compiles the rules that are left.
func (a *assembly[C]) load() {
	var accepted []*RuleDef
	for _, r := range a.rules {
		switch {
		case r.Disabled:
			a.filtered(r.outcome(), "disabled")
		case r.Expression == "":
			a.failed(r.outcome(), errors.New("rule has no expression, and none to override"), r.At)
		default:
			accepted = append(accepted, expandFIM(r)...)
		}
	}
	// Variables come first: any rule may read what any other sets.
	declared := accepted[:0]
	for _, r := range accepted {
		if err := a.declare(r); err != nil {
			a.failed(r.outcome(), err, r.At)
			continue
		}
		declared = append(declared, r)
	}
	for _, r := range declared {
		a.compile(r)
	}
}

func (a *assembly[C]) compile(def *RuleDef) {
	o := def.outcome()
	if def.exprOf != nil {
		o.File = def.exprOf.File
	}
	program, err := Compile(a.rs.model, def.Expression, a.env)
	if err != nil {
		a.failed(o, err, def.ExprAt)
		return
	}
	r := &Rule[C]{Def: def, Program: program}
	o.Status, o.Warnings = Loaded, slices.Concat(def.warnings, program.Warnings)
	if err := a.bind(r); err != nil {
		// The place of an error in an action is that of the action: its expression isn't the rule's.
		a.failed(def.outcome(), err, def.At)
		return
	}
	a.rs.Rules = append(a.rs.Rules, r)
	o.File = def.Policy.File
	a.rs.Outcomes = append(a.rs.Outcomes, o)
}

// bind compiles what a rule carries beside its expression.
func (a *assembly[C]) bind(r *Rule[C]) error {
	a.env.AnyEvent, a.env.Event = true, r.Program.Event
	defer func() { a.env.AnyEvent, a.env.Event = false, "" }()
	for i, name := range r.Def.LimiterToken {
		k := newCompiler(a.rs.model, name, a.env)
		v, err := k.fieldNamed(&Ident{Span{0, len(name)}, name}, name)
		if err != nil {
			return fmt.Errorf("limiter_token: %w", err)
		}
		if i > 0 {
			r.token = append(r.token, fixed[C]("\x00"))
		}
		r.token = append(r.token, show(v))
	}
	for i, def := range r.Def.Actions {
		action, err := a.action(r, def)
		if err != nil {
			return fmt.Errorf("action %d at line %d: %w", i+1, def.At.Line, err)
		}
		r.Actions = append(r.Actions, action)
	}
	return nil
}
