package secl

import (
	"strconv"
	"strings"
)

// ident compiles a name: constants come first, then macros, then fields under their old and present names.
func (k *compiler[C]) ident(n *Ident) (value[C], error) {
	if c, found := constantNamed(n.Name); found {
		if c.isBool {
			return boolConstant[C](n, c.value != 0), nil
		}
		return intConstant[C](n, c.value), nil
	}
	if m := k.env.Macros[n.Name]; m != nil {
		return k.macro(n, m)
	}
	return k.fieldNamed(n, n.Name)
}

// macro compiles the body of a macro where its name stands, because what a pattern means depends on the field that it
// is compared with.
func (k *compiler[C]) macro(n *Ident, m *Macro) (value[C], error) {
	leave, err := k.enter(n, m)
	if err != nil {
		return value[C]{}, err
	}
	defer leave()
	return k.compile(m.Node)
}

// enter makes the body of a macro the text that is being compiled, until leave is called.
func (k *compiler[C]) enter(n *Ident, m *Macro) (leave func(), err error) {
	if len(k.macros) == maxMacroDepth {
		return nil, k.fail(n, "macro %q names itself, or macros are nested more than %d deep", n.Name, maxMacroDepth)
	}
	if len(k.macros) == 0 {
		k.macroAt = n.Span
	}
	source := k.source
	k.macros, k.source = append(k.macros, m), m.Source
	return func() { k.macros, k.source = k.macros[:len(k.macros)-1], source }, nil
}

// place is where a node stands in the rule itself: that of the macro's name for what comes out of a macro.
func (k *compiler[C]) place(n Node) Span {
	if len(k.macros) > 0 {
		return k.macroAt
	}
	return n.Place()
}

// subscripted is a name taken apart: process.ancestors[A].argv[0].
type subscripted struct {
	field    string // process.ancestors.argv
	iterator string // process.ancestors, when variable is set
	variable string // A
	index    int    // 0; -1 without one
}

func (k *compiler[C]) takeApart(n Node, name string) (subscripted, error) {
	out := subscripted{index: -1}
	for name != "" {
		before, rest, found := strings.Cut(name, "[")
		out.field += before
		if !found {
			break
		}
		var inside string
		inside, name, _ = strings.Cut(rest, "]")
		i, err := strconv.Atoi(inside)
		switch {
		case err == nil && name == "":
			out.index = i
		case err == nil:
			return out, k.fail(n, "the index [%s] can only stand at the end of %s", inside, out.field)
		case inside == "_":
			return out, k.fail(n, "_ can't be the name of an iterator variable")
		case out.variable != "":
			return out, k.fail(n, "%s has two iterator variables", out.field)
		default:
			out.iterator, out.variable = out.field, inside
		}
	}
	return out, nil
}

// fieldNamed compiles a field with its subscripts.
func (k *compiler[C]) fieldNamed(n Node, name string) (value[C], error) {
	parts, err := k.takeApart(n, name)
	if err != nil {
		return value[C]{}, err
	}
	f := k.model.fields[presentName(parts.field)]
	if f == nil {
		return value[C]{}, k.fail(n, "%s", k.unknown(parts.field))
	}
	if err := k.settleEvent(n, f); err != nil {
		return value[C]{}, err
	}
	bound, err := k.bind(n, f, parts)
	if err != nil {
		return value[C]{}, err
	}
	if f.reason != "" {
		k.warn("%s is always empty: %s", f.name, f.reason)
	}
	k.note(f.name)
	if parts.index >= 0 {
		if f, err = k.indexed(n, f, parts.index); err != nil {
			return value[C]{}, err
		}
	}
	v := load(f, bound)
	v.node = n
	return v, nil
}

// settleEvent holds the rule to one event type.
func (k *compiler[C]) settleEvent(n Node, f *field[C]) error {
	switch {
	case f.event == "" || f.event == k.event:
	case k.event == "":
		k.event, k.eventOf = f.event, f.name
	default:
		return k.fail(n, "%s belongs to %s events, but %s to %s events; a rule has one event type",
			f.name, f.event, k.eventOf, k.event)
	}
	return nil
}

// bind tells whether the field is read from the element that the rule's iterator variable stands for.
func (k *compiler[C]) bind(n Node, f *field[C], parts subscripted) (bool, error) {
	switch {
	case parts.variable == "":
		return false, nil
	case f.iter == nil || f.iter.name != parts.iterator:
		return false, k.fail(n, "%s is not a list that an iterator variable can walk", parts.iterator)
	case k.walk == nil:
		k.walk, k.walkName = f.iter, parts.variable
	case k.walk != f.iter || k.walkName != parts.variable:
		return false, k.fail(n, "%s[%s]: the rule already walks %s[%s], and only one is possible",
			parts.iterator, parts.variable, k.walk.name, k.walkName)
	}
	return true, nil
}

func (k *compiler[C]) note(name string) {
	for _, known := range k.fields {
		if known == name {
			return
		}
	}
	k.fields = append(k.fields, name)
}

// indexed makes a scalar field of one element of an array; out of range it reads as "" or 0.
func (k *compiler[C]) indexed(n Node, f *field[C], i int) (*field[C], error) {
	if !f.array {
		return nil, k.fail(n, "%s is not an array", f.name)
	}
	one := *f
	one.array = false
	one.int, one.string, one.ip = at(f.ints, i), at(f.strings, i), at(f.ips, i)
	one.ints, one.strings, one.ips = nil, nil, nil
	return &one, nil
}

func at[C, T any](list func(*state[C]) []T, i int) func(*state[C]) T {
	if list == nil {
		return nil
	}
	return func(s *state[C]) (zero T) {
		if all := list(s); i < len(all) {
			return all[i]
		}
		return zero
	}
}

// load makes the value of a field; bound means that an iterator's field is read from one element.
func load[C any](f *field[C], bound bool) value[C] {
	v := value[C]{typ: f.typ, array: f.array, field: f, weight: weightInt}
	if f.typ == TypeString {
		v.weight = weightString
	}
	if f.name == flagsField {
		v.flags = ^uint32(0)
	}
	it := f.iter
	if bound {
		it = nil
	}
	v.array = f.array || it != nil
	switch f.typ {
	case TypeInt:
		v.int = source(it, f.array, f.int, f.ints)
	case TypeString:
		v.string = source(it, f.array, f.string, f.strings)
		if f.aliases != nil {
			v.string = v.string.or(it, f.aliases)
		}
	case TypeBool:
		v.bool = source(it, f.array, f.bool, nil)
	case TypeIP:
		v.ip = source(it, f.array, f.ip, f.ips)
	}
	return v
}

// source makes an operand of a field's getter; a field that is never filled has none and reads as zero.
func source[C, T any](it *iterator[C], array bool, get func(*state[C]) T, all func(*state[C]) []T) operand[C, T] {
	switch {
	case array && all == nil:
		return elements(func(*state[C]) []T { return nil })
	case !array && get == nil:
		get = func(*state[C]) (zero T) { return zero }
	}
	switch {
	case it != nil && array:
		return along(it, nil, all)
	case it != nil:
		return along(it, get, nil)
	case array:
		return elements(all)
	}
	return scalar(get)
}
