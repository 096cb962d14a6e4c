package secl

import "errors"

// assembly is a rule set being made.
type assembly[C any] struct {
	rs      *RuleSet[C]
	env     *Env
	options Options
}

// outcome starts the outcome of a rule.
func (r *RuleDef) outcome(status Status) Outcome {
	return Outcome{Policy: r.Policy.Name, File: r.Policy.File, RuleID: r.ID, Status: status, Place: r.At}
}

// blame puts an error of an expression where the expression stands in the file.
func (o *Outcome) blame(err error, expr Place) {
	o.Status, o.Message = Failed, err.Error()
	var at *Error
	if !errors.As(err, &at) {
		return
	}
	o.Message, o.Caret, o.Place = at.Message, at.Caret(), expr
	o.Line += at.Line() - 1
	if at.Line() == 1 {
		o.Column += at.Column() - 1
	} else {
		o.Column = at.Column()
	}
}

func (a *assembly[C]) rule(def *RuleDef) {
	o := def.outcome(Loaded)
	program, err := Compile(a.rs.model, def.Expression, a.env)
	if err != nil {
		o.blame(err, def.ExprAt)
	} else {
		o.Warnings = program.Warnings
		r := &Rule[C]{Def: def, Program: program}
		a.rs.Rules = append(a.rs.Rules, r)
		a.rs.buckets[program.Event] = append(a.rs.buckets[program.Event], r)
	}
	a.rs.Outcomes = append(a.rs.Outcomes, o)
}
