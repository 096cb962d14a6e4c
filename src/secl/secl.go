// Package secl parses, type-checks and compiles SECL, the rule language, and loads the policy files that hold rules;
// where field values come from and what happens on a hit is left to the caller.
package secl

// Bounds on what a policy may ask for. Policies are written by admins, but they also arrive by remote download and
// copy-paste, and a daemon must not be brought down by a file.
const (
	maxExpression = 256 << 10 // bytes of one expression
	maxDepth      = 128       // nested parentheses and unary operators
	maxList       = 16 << 10  // values in one list
	maxRegexp     = 4 << 10   // bytes of one regexp: its program may be a thousand times as large
	maxNodes      = 128 << 10 // operands and operators of one rule after macros are expanded
	maxAllNodes   = 4 << 20   // the same for a whole rule set
	maxRules      = 16 << 10  // definitions of rules, and of macros, in a rule set
	maxMacroDepth = 32        // macros naming macros
	maxElements   = 100       // elements of an iterator looked at per expression
)

// Type is the type of a value; a field may also be an array of any of them but Bool.
type Type uint8

// The types of the language.
const (
	TypeInt Type = iota
	TypeString
	TypeBool
	TypeIP
)

var typeNames = [...]string{TypeInt: "int", TypeString: "string", TypeBool: "bool", TypeIP: "IP"}

// String gives the name that error messages use.
func (t Type) String() string { return typeNames[t] }
