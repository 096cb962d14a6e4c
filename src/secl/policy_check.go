package secl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

var overridable = []string{"all", "expression", "actions", "every", "tags", "product_tags"}

// check refuses what no rule set could load.
func (r *RuleDef) check() error {
	if err := checkID(r.ID); err != nil {
		return err
	}
	switch {
	case r.Expression == "" && !r.Disabled && r.Combine == "":
		return errors.New("rule has no expression")
	case r.Combine != "" && r.Combine != "override":
		return fmt.Errorf("combine %q is not known for rules: only override", r.Combine)
	case r.Every < 0:
		return fmt.Errorf("every %v is negative", r.Every)
	}
	for i, a := range r.Actions {
		if a == nil {
			return fmt.Errorf("action %d is empty", i+1)
		}
		if err := a.check(); err != nil {
			return fmt.Errorf("action %d at line %d: %w", i+1, a.At.Line, err)
		}
	}
	for _, f := range r.Override.Fields {
		if !slices.Contains(overridable, f) {
			return fmt.Errorf("override_options: field %q is none of %s", f, strings.Join(overridable, ", "))
		}
	}
	return nil
}

func (m *MacroDef) check() error {
	if err := checkID(m.ID); err != nil {
		return err
	}
	switch {
	case m.Expression == "" && len(m.Values) == 0:
		return errors.New("macro has neither expression nor values")
	case m.Expression != "" && len(m.Values) > 0:
		return errors.New("macro has both expression and values")
	case m.Combine != "" && m.Combine != "merge" && m.Combine != "override":
		return fmt.Errorf("combine %q is not known for macros: merge or override", m.Combine)
	}
	return nil
}

func checkID(id string) error {
	if id == "" {
		return errors.New("id is missing")
	}
	for i := range len(id) {
		if !isLetter(id[i]) && !isDigit(id[i]) {
			return fmt.Errorf("id %q has a character other than letters, digits and _", id)
		}
	}
	return nil
}
