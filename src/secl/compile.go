package secl

import (
	"fmt"
	"slices"
	"strings"
)

// Env is what an expression may refer to beyond the model's fields. It must not be used by two Compile at once.
type Env struct {
	Macros    map[string]*Macro
	Variables map[string]*VariableSpec
	AnyEvent  bool   // the expression need not belong to one event type: filters of rules and of actions
	Event     string // event type that the fields must belong to; "" leaves it to the expression

	nodes   int // compiled so far with this environment
	guesses int // at what mistyped names mean
}

// Macro is a named expression, list or value.
type Macro struct {
	Name   string
	Source string
	Node   Node
}

// Program is a compiled expression. It is immutable and safe for concurrent use.
type Program[C any] struct {
	Source   string
	Event    string   // event type that the fields belong to; "" when there is none, with Env.AnyEvent
	Fields   []string // fields that are read, each once, in order of appearance
	Warnings []string // what is allowed but probably not meant

	model  *Model[C]
	test   test[C]
	walk   *iterator[C] // not nil: the whole expression is asked once per element
	leaves []leaf[C]
	need   need
	guard  *guard[C]
}

// Compile checks an expression and turns it into a program. Errors are of type *Error.
func Compile[C any](m *Model[C], source string, env *Env) (*Program[C], error) {
	root, err := Parse(source)
	if err != nil {
		return nil, err
	}
	if env == nil {
		env = &Env{}
	}
	k := newCompiler(m, source, env)
	v, err := k.compile(root)
	if err != nil {
		return nil, err
	}
	if v, err = k.truth(v); err != nil {
		return nil, err
	}
	if k.event == "" && !env.AnyEvent {
		return nil, k.fail(root, "the rule names no field of an event (open., exec., …), so it has no event type")
	}
	k.lint(root)
	return &Program[C]{
		Source: source, Event: k.event, Fields: k.fields, Warnings: k.warnings,
		model: m, test: v.bool.get, walk: k.walk, leaves: k.leaves, need: v.need, guard: v.guard,
	}, nil
}

func newCompiler[C any](m *Model[C], source string, env *Env) *compiler[C] {
	return &compiler[C]{model: m, env: env, rule: source, source: source, event: env.Event, eventOf: "the rule"}
}

// compiler holds what is found out about one rule while its tree is walked.
type compiler[C any] struct {
	model  *Model[C]
	env    *Env
	rule   string // the whole expression
	source string // the text being compiled: the rule's or a macro's

	event    string
	eventOf  string // the field that settled the event type
	fields   []string
	warnings []string
	walk     *iterator[C]
	walkName string
	leaves   []leaf[C]
	nodes    int
	macros   []*Macro // being expanded, outermost first
	macroAt  Span     // where the rule names the outermost of them
}

func (k *compiler[C]) fail(n Node, format string, args ...any) error {
	err := errorAt(k.source, n.Place(), format, args...)
	if len(k.macros) > 0 {
		return errorAt(k.rule, k.macroAt, "in macro %q, %v", k.macros[len(k.macros)-1].Name, err)
	}
	return err
}

func (k *compiler[C]) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(k.warnings, w) {
		k.warnings = append(k.warnings, w)
	}
}

// compile turns one node, and all below it, into closures.
func (k *compiler[C]) compile(n Node) (value[C], error) {
	k.nodes++
	k.env.nodes++
	switch {
	case k.nodes > maxNodes:
		return value[C]{}, k.fail(n, "the rule has more than %d operands and operators, macros expanded", maxNodes)
	case k.env.nodes > maxAllNodes:
		return value[C]{}, k.fail(n, "the rules have more than %d operands and operators together", maxAllNodes)
	}
	switch n := n.(type) {
	case *Binary:
		return k.binary(n)
	case *Unary:
		return k.unary(n)
	case *Ident:
		return k.ident(n)
	case *Variable:
		return k.variable(n)
	case *Reference:
		return k.reference(n)
	case *StringLiteral:
		return k.text(n)
	case *IntLiteral:
		return intConstant[C](n, n.Value), nil
	case *DurationLiteral:
		v := intConstant[C](n, int64(n.Value))
		v.age = true
		return v, nil
	case *IPLiteral:
		return value[C]{node: n, typ: TypeIP, constant: true, ip: constant[C](n.Prefix)}, nil
	}
	return value[C]{}, k.fail(n, "a list can only stand to the right of in, not in or allin")
}

func (k *compiler[C]) binary(n *Binary) (value[C], error) {
	switch n.Op {
	case "&&", "||":
		return k.logic(n)
	case "in", "not in", "allin":
		return k.membership(n)
	case "+", "-", "&", "|", "^":
		return k.arithmetic(n)
	}
	return k.compare(n)
}

// two compiles both sides.
func (k *compiler[C]) two(n *Binary) (left, right value[C], err error) {
	if left, err = k.compile(n.Left); err != nil {
		return
	}
	right, err = k.compile(n.Right)
	return
}

func intConstant[C any](n Node, i int64) value[C] {
	return value[C]{node: n, typ: TypeInt, constant: true, int: constant[C](i)}
}

func boolConstant[C any](n Node, b bool) value[C] {
	return value[C]{node: n, typ: TypeBool, constant: true, bool: constant[C](b)}
}

// describe names a value for error messages.
func describe[C any](v value[C]) string {
	name, article := v.typ.String(), "a "
	if v.array {
		name = "array of " + name
	}
	if strings.IndexByte("aiI", name[0]) >= 0 {
		article = "an "
	}
	switch {
	case v.field != nil:
		return fmt.Sprintf("%s (%s)", v.field.name, name)
	case v.form == Pattern:
		return "a pattern"
	case v.form == Regexp:
		return "a regexp"
	case v.age:
		return "a duration"
	}
	return article + name
}
