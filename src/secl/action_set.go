package secl

import (
	"fmt"
	"net/netip"
)

// defaultSize is how many elements a list variable holds when the action doesn't say.
const defaultSize = 100

// Assignment is a set action that is ready to run.
type Assignment[C any] struct {
	Variable *VariableSpec
	Append   bool

	value func(*state[C]) Value
	pid   func(*state[C]) int64
	model *Model[C]
}

// Value works out the value to set. Its slices are only to be read; Store.Set copies them.
func (a *Assignment[C]) Value(c *C) Value {
	s := a.model.begin(c)
	defer a.model.end(s)
	return a.value(s)
}

// PID gives the process that the value is set on, when the action names another than the event's own.
func (a *Assignment[C]) PID(c *C) (pid int64, named bool) {
	if a.pid == nil {
		return 0, false
	}
	s := a.model.begin(c)
	defer a.model.end(s)
	return a.pid(s), true
}

// declare makes the variables of a rule's set actions known. Two actions that give one variable different types are an
// error of the second.
func (a *assembly[C]) declare(r *RuleDef) error {
	for _, action := range r.Actions {
		if action.Set == nil {
			continue
		}
		spec, err := a.spec(action.Set)
		if err != nil {
			return err
		}
		name := spec.Reference()
		first := a.env.Variables[name]
		switch {
		case name == "process.pid" || name == "builtins.uuid4":
			return fmt.Errorf("set: ${%s} can't be set", name)
		case first == nil:
			a.env.Variables[name] = spec
			a.rs.Variables = append(a.rs.Variables, spec)
		case first.Type != spec.Type || first.Array != spec.Array:
			return fmt.Errorf("set: ${%s} is %s elsewhere and %s here", name, first.kind(), spec.kind())
		default:
			first.Inherited = first.Inherited || spec.Inherited
			first.Private = first.Private || spec.Private
			if first.Default == nil {
				first.Default = spec.Default
			}
		}
	}
	return nil
}

func (v *VariableSpec) kind() string {
	if v.Array {
		return "a list of " + v.Type.String()
	}
	return v.Type.String()
}

// spec works out the variable that an action sets.
func (a *assembly[C]) spec(s *SetAction) (*VariableSpec, error) {
	spec := &VariableSpec{
		Name: s.Name, Scope: s.Scope, Inherited: s.Inherited, Private: s.Private, Size: s.Size, TTL: s.TTL,
	}
	if spec.Size == 0 {
		spec.Size = defaultSize
	}
	if s.DefaultValue != nil {
		v, typ, array, err := s.literal(s.DefaultValue)
		if err != nil {
			return nil, fmt.Errorf("set: default_value: %w", err)
		}
		spec.Default, spec.Type, spec.Array = &v, typ, array
	}
	typ, array, err := a.typeOf(s, spec)
	switch {
	case err != nil:
		return nil, fmt.Errorf("set: %w", err)
	case spec.Default != nil && (typ != spec.Type || array != spec.Array):
		return nil, fmt.Errorf("set: default_value of ${%s} is of another type than its value", spec.Reference())
	case typ == TypeBool && (array || s.Append):
		return nil, fmt.Errorf("set: ${%s} can't be a list of bool", spec.Reference())
	}
	spec.Type, spec.Array = typ, array
	return spec, nil
}

// typeOf gives the type of what is set.
func (a *assembly[C]) typeOf(s *SetAction, spec *VariableSpec) (Type, bool, error) {
	switch {
	case s.Expression != "":
		return spec.Type, spec.Array, nil
	case s.Value != nil:
		_, typ, array, err := s.literal(s.Value)
		return typ, array, err
	}
	k := newCompiler(a.rs.model, s.Field, &Env{AnyEvent: true})
	v, err := k.fieldNamed(&Ident{Span{0, len(s.Field)}, s.Field}, s.Field)
	return v.typ, v.array || s.Append, err
}

// literal reads a value of the action. What is appended to is a list: a single number or text is its first element.
func (s *SetAction) literal(raw any) (v Value, typ Type, array bool, err error) {
	if v, typ, array, err = literalValue(raw); err != nil || array || !s.Append {
		return v, typ, array, err
	}
	switch typ {
	case TypeInt:
		return Value{Ints: []int64{v.Int}}, typ, true, nil
	case TypeString:
		return Value{Strings: []string{v.String}}, typ, true, nil
	}
	return v, typ, false, nil
}

// literalValue reads a value of the policy file.
func literalValue(raw any) (v Value, typ Type, array bool, err error) {
	switch raw := raw.(type) {
	case bool:
		return Value{Bool: raw}, TypeBool, false, nil
	case int:
		return Value{Int: int64(raw)}, TypeInt, false, nil
	case string:
		return Value{String: raw}, TypeString, false, nil
	case []any:
		return literalList(raw)
	}
	return v, typ, false, fmt.Errorf("%v is no bool, int, string or list of int or string", raw)
}

func literalList(raw []any) (v Value, typ Type, array bool, err error) {
	for _, item := range raw {
		one, itemType, _, err := literalValue(item)
		if err != nil || itemType == TypeBool || len(v.Ints)+len(v.Strings) > 0 && itemType != typ {
			return v, typ, true, fmt.Errorf("%v is no list of only int or only string", raw)
		}
		typ = itemType
		if typ == TypeInt {
			v.Ints = append(v.Ints, one.Int)
		} else {
			v.Strings = append(v.Strings, one.String)
		}
	}
	if len(raw) == 0 {
		typ = TypeString
	}
	return v, typ, true, nil
}

// assignment binds a set action; its variable is declared.
func (a *assembly[C]) assignment(s *SetAction) (*Assignment[C], error) {
	ref := (&VariableSpec{Name: s.Name, Scope: s.Scope}).Reference()
	out := &Assignment[C]{Variable: a.env.Variables[ref], Append: s.Append, model: a.rs.model}
	if s.Value != nil {
		v, _, _, err := s.literal(s.Value)
		out.value = func(*state[C]) Value { return v }
		return out, err
	}
	text := s.Field + s.Expression
	n, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("set: %w", err)
	}
	k := newCompiler(a.rs.model, text, a.env)
	v, err := k.compile(n)
	switch {
	case err != nil:
		return nil, fmt.Errorf("set: %w", err)
	case k.walk != nil:
		return nil, fmt.Errorf("set: iterator variables have no meaning in %q", text)
	case v.typ != out.Variable.Type || v.array && !out.Variable.Array:
		return nil, fmt.Errorf("set: %q is %s, but ${%s} is %s", text, describe(v), ref, out.Variable.kind())
	}
	out.value = collect(v, out.Variable.Array)
	if s.ScopeField != "" {
		pid, err := k.fieldNamed(&Ident{Span{0, len(s.ScopeField)}, s.ScopeField}, s.ScopeField)
		if err != nil || pid.typ != TypeInt || pid.array {
			return nil, fmt.Errorf("set: scope_field %q is not the pid of a process", s.ScopeField)
		}
		out.pid = pid.int.get
	}
	return out, nil
}

// collect makes the value of a variable out of a compiled value.
func collect[C any](v value[C], array bool) func(*state[C]) Value {
	switch {
	case v.typ == TypeInt && array:
		return func(s *state[C]) Value { return Value{Ints: gathered(s, v.int)} }
	case v.typ == TypeString && array:
		return func(s *state[C]) Value { return Value{Strings: gathered(s, v.string)} }
	case array:
		return func(s *state[C]) Value { return Value{IPs: gathered[C, netip.Prefix](s, v.ip)} }
	case v.typ == TypeInt:
		return func(s *state[C]) Value { return Value{Int: v.int.get(s)} }
	case v.typ == TypeString:
		return func(s *state[C]) Value { return Value{String: v.string.get(s)} }
	case v.typ == TypeBool:
		return func(s *state[C]) Value { return Value{Bool: v.bool.get(s)} }
	}
	return func(s *state[C]) Value { return Value{IP: v.ip.get(s)} }
}

func gathered[C, T any](s *state[C], o operand[C, T]) (out []T) {
	if o.get != nil {
		return []T{o.get(s)}
	}
	o.some(s, func(_ *state[C], x T) bool {
		out = append(out, x)
		return false
	})
	return out
}
