package secl

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"strings"
)

// variable compiles ${name}: a built-in, or what a set action of the rule set declares.
func (k *compiler[C]) variable(n *Variable) (value[C], error) {
	switch n.Name {
	case "process.pid":
		return k.fieldNamed(n, n.Name)
	case "builtins.uuid4":
		return value[C]{node: n, typ: TypeString, weight: weightRegexp, string: scalar(uuid4[C])}, nil
	}
	name, length := n.Name, false
	spec := k.env.Variables[name]
	if spec == nil {
		name, length = strings.CutSuffix(n.Name, ".length")
		spec = k.env.Variables[name]
	}
	if spec == nil {
		return value[C]{}, k.fail(n, "unknown variable ${%s}: no set action makes it", n.Name)
	}
	v := loadVariable[C](spec)
	v.node = n
	if length {
		return lengthOfVariable(v, spec), nil
	}
	return v, nil
}

var unset Value

// read gives the current value, the default when it is unset; never nil.
func read[C any](s *state[C], spec *VariableSpec) *Value {
	if s.model.Lookup != nil {
		if v := s.model.Lookup(s.c, spec); v != nil {
			return v
		}
	}
	if spec.Default != nil {
		return spec.Default
	}
	return &unset
}

func loadVariable[C any](spec *VariableSpec) value[C] {
	v := value[C]{typ: spec.Type, array: spec.Array, weight: weightString}
	switch {
	case spec.Array && spec.Type == TypeInt:
		v.int = elements(func(s *state[C]) []int64 { return read(s, spec).Ints })
	case spec.Array && spec.Type == TypeString:
		v.string = elements(func(s *state[C]) []string { return read(s, spec).Strings })
	case spec.Array:
		v.ip = elements(func(s *state[C]) []netip.Prefix { return read(s, spec).IPs })
	case spec.Type == TypeInt:
		v.int = scalar(func(s *state[C]) int64 { return read(s, spec).Int })
	case spec.Type == TypeString:
		v.string = scalar(func(s *state[C]) string { return read(s, spec).String })
	case spec.Type == TypeBool:
		v.bool = scalar(func(s *state[C]) bool { return read(s, spec).Bool })
	case spec.Type == TypeIP:
		v.ip = scalar(func(s *state[C]) netip.Prefix { return read(s, spec).IP })
	}
	return v
}

// uuid4 makes a random UUID (RFC 9562, section 5.4).
func uuid4[C any](*state[C]) string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// lengthOfVariable compiles ${name.length}: elements of an array, bytes of a string.
func lengthOfVariable[C any](v value[C], spec *VariableSpec) value[C] {
	return value[C]{node: v.node, typ: TypeInt, weight: weightString, int: scalar(func(s *state[C]) int64 {
		val := read(s, spec)
		return int64(len(val.String) + len(val.Strings) + len(val.Ints) + len(val.IPs))
	})}
}

// reference compiles %{field}; NAME.length works for every array and string.
func (k *compiler[C]) reference(n *Reference) (value[C], error) {
	base, length := strings.CutSuffix(n.Name, ".length")
	if f := k.model.fields[presentName(base)]; length && f != nil && k.model.fields[presentName(n.Name)] == nil {
		if !f.array && f.typ != TypeString {
			return value[C]{}, k.fail(n, "%s is a single %s, which has no length", f.name, f.typ)
		}
		if err := k.settleEvent(n, f); err != nil {
			return value[C]{}, err
		}
		k.note(f.name)
		v := load(lengthOf(f), false)
		v.node = n
		return v, nil
	}
	return k.fieldNamed(n, n.Name)
}
