package secl

import (
	"fmt"
	"maps"
	"reflect"
)

// combineRule applies a later definition of a rule to the one that counts so far. It gives the reason when the later
// one has no effect.
func combineRule(first, later *RuleDef) (ignored string) {
	switch {
	case later.Combine == "override" && later.Disabled:
		first.Disabled = true
	case later.Combine == "override":
		first.Disabled = false
		first.override(later)
	case later.Disabled != first.Disabled:
		first.Disabled = later.Disabled
		if first.Expression == "" {
			policy := *later
			*first = policy
		}
	default:
		return fmt.Sprintf("defined before in %s, and the first definition counts", first.Policy.Name)
	}
	return ""
}

// override takes over the fields that the later definition names; the expression when it names none.
func (r *RuleDef) override(later *RuleDef) {
	fields := later.Override.Fields
	if len(fields) == 0 {
		fields = []string{"expression"}
	}
	for _, f := range fields {
		switch f {
		case "all":
			*r = *later
			return
		case "expression":
			r.Expression, r.ExprAt, r.exprOf = later.Expression, later.ExprAt, later.Policy
		case "every":
			r.Every = later.Every
		case "product_tags":
			r.ProductTags = later.ProductTags
		case "tags":
			tags := make(map[string]string, len(r.Tags)+len(later.Tags))
			maps.Copy(tags, r.Tags)
			maps.Copy(tags, later.Tags)
			r.Tags = tags
		case "actions":
			r.addActions(later.Actions)
		}
	}
}

func (r *RuleDef) addActions(more []*Action) {
	actions := r.Actions[:len(r.Actions):len(r.Actions)]
	for _, a := range more {
		if !containsAction(actions, a) {
			actions = append(actions, a)
		}
	}
	r.Actions = actions
}

// containsAction compares what actions do, not where they stand.
func containsAction(list []*Action, a *Action) bool {
	for _, b := range list {
		moved := *b
		moved.At = a.At
		if reflect.DeepEqual(&moved, a) {
			return true
		}
	}
	return false
}

// combineMacro applies a later definition of a macro.
func combineMacro(first, later *MacroDef) error {
	switch later.Combine {
	case "merge":
		if first.Expression != "" || later.Expression != "" {
			return fmt.Errorf("only macros with values can be merged")
		}
		first.Values = append(first.Values[:len(first.Values):len(first.Values)], later.Values...)
	case "override":
		*first = *later
	}
	return nil
}
