package secl

import "fmt"

// Status is what became of a rule.
type Status string

// What can become of a rule.
const (
	Loaded   Status = "loaded"
	Filtered Status = "filtered"
	Failed   Status = "error"
)

// Outcome says what became of one rule, macro or file.
type Outcome struct {
	Policy   string // the file's name
	File     string
	RuleID   string   // "" when it concerns the file
	Rule     *RuleDef // the definition, of rules that could be read
	Macro    bool     // RuleID is that of a macro
	Status   Status
	Message  string // why it is filtered or in error
	Caret    string // the line of the expression with the place marked; may be empty
	Place           // in the file
	Warnings []string
}

// String gives one line for the log.
func (o Outcome) String() string {
	at := o.File
	switch {
	case o.Line > 0 && o.Column > 0:
		at = fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Column)
	case o.Line > 0:
		at = fmt.Sprintf("%s:%d", o.File, o.Line)
	}
	what := "rule"
	if o.Macro {
		what = "macro"
	}
	if o.RuleID != "" {
		at += fmt.Sprintf(": %s %q", what, o.RuleID)
	}
	if o.Message == "" {
		return at + ": " + string(o.Status)
	}
	return at + ": " + o.Message
}
