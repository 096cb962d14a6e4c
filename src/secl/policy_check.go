package secl

import (
	"errors"
	"fmt"
)

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
