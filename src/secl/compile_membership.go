package secl

import (
	"net/netip"
	"slices"
)

// membership compiles in, not in and allin.
func (k *compiler[C]) membership(n *Binary) (value[C], error) {
	left, err := k.compile(n.Left)
	if err != nil {
		return left, err
	}
	q := question[C]{node: n, subject: left, negative: n.Op == "not in"}
	list, leave, err := k.listOf(n.Right)
	if err != nil {
		return left, err
	}
	if list == nil {
		return k.memberOfArray(n, q)
	}
	defer leave()
	switch left.typ {
	case TypeInt:
		return k.memberOfInts(q, list)
	case TypeString:
		return k.memberOfStrings(q, list)
	case TypeIP:
		return k.memberOfNetworks(n, q, list)
	}
	return k.memberOfBools(q, list)
}

// listOf gives the literal values to the right of in: of a list, of a macro that is one, or a network alone. It gives
// nil for arrays that are known only at evaluation. leave must be called when the values are compiled.
func (k *compiler[C]) listOf(n Node) (list []Node, leave func(), err error) {
	switch n := n.(type) {
	case *List:
		return n.Items, func() {}, nil
	case *IPLiteral:
		return []Node{n}, func() {}, nil
	case *Ident:
		m := k.env.Macros[n.Name]
		if _, isConstant := constantNamed(n.Name); m == nil || isConstant {
			return nil, nil, nil
		}
		leave, err := k.enter(n, m)
		if err != nil {
			return nil, nil, err
		}
		list, inner, err := k.listOf(m.Node)
		if err != nil || list == nil {
			leave()
			return nil, nil, err
		}
		return list, func() { inner(); leave() }, nil
	}
	return nil, nil, nil
}

// item compiles one value of a list.
func (k *compiler[C]) item(q question[C], n Node) (value[C], error) {
	v, err := k.compile(n)
	if err == nil && (v.typ != q.subject.typ || v.array || !v.constant) {
		err = k.fail(n, "%s can't be in a list for %s", describe(v), describe(q.subject))
	}
	return v, err
}

func (k *compiler[C]) memberOfBools(q question[C], list []Node) (value[C], error) {
	var found [2]bool
	for _, n := range list {
		v, err := k.item(q, n)
		if err != nil {
			return v, err
		}
		if v.bool.get(nil) {
			found[1] = true
		} else {
			found[0] = true
		}
	}
	return answer(k, q, q.subject.bool, func(_ *state[C], x bool) bool { return x && found[1] || !x && found[0] }), nil
}

func (k *compiler[C]) memberOfInts(q question[C], list []Node) (value[C], error) {
	var values []int64
	var n need
	for i, item := range list {
		v, err := k.item(q, item)
		if err != nil {
			return v, err
		}
		x := v.int.get(nil)
		values = append(values, x)
		one := needOf(&q.subject, "==", x)
		if i == 0 {
			n = one
		}
		n = n.or(one)
	}
	contains := intSet(values)
	out := answer(k, q, q.subject.int, func(_ *state[C], x int64) bool { return contains(x) })
	if out.need = n; q.negative {
		out.need = n.not()
	}
	return out, nil
}

func (k *compiler[C]) memberOfStrings(q question[C], list []Node) (value[C], error) {
	var plain []string
	var matchers []matcher
	var beginnings []guardText
	for _, item := range list {
		v, err := k.item(q, item)
		if err != nil {
			return v, err
		}
		text := v.string.get(nil)
		beginnings = append(beginnings, guardLiteral(text, v.form, q.subject.field != nil && q.subject.field.glob))
		if v.form == Plain {
			plain = append(plain, text)
			continue
		}
		m, err := k.matcher(item, text, v.form, q.subject.field)
		if err != nil {
			return v, err
		}
		matchers = append(matchers, m)
	}
	q.other.weight = weightString + weightPattern*len(matchers)
	contains := stringSet(plain)
	out := answer(k, q, q.subject.string, func(_ *state[C], x string) bool {
		if contains(x) {
			return true
		}
		for _, match := range matchers {
			if match(x) {
				return true
			}
		}
		return false
	})
	out.guard = k.guardOf(q, beginnings...)
	return out, nil
}

func (k *compiler[C]) memberOfNetworks(n *Binary, q question[C], list []Node) (value[C], error) {
	var networks []netip.Prefix
	for _, item := range list {
		v, err := k.item(q, item)
		if err != nil {
			return v, err
		}
		networks = append(networks, v.ip.get(nil))
	}
	inside := func(_ *state[C], x netip.Prefix) bool { return slices.ContainsFunc(networks, x.Overlaps) }
	return k.anyOrAll(n, q, inside), nil
}

// memberOfArray compiles a value in an array that is known only at evaluation.
func (k *compiler[C]) memberOfArray(n *Binary, q question[C]) (value[C], error) {
	array, err := k.compile(n.Right)
	if err != nil {
		return array, err
	}
	left := q.subject
	switch {
	case !array.array:
		return left, k.fail(n.Right, "%s needs a list or an array, this is %s", n.Op, describe(array))
	case left.typ != array.typ:
		return left, k.fail(n, "%s can't be in %s", describe(left), describe(array))
	case left.array:
		return k.arrayInArray(n, q, array)
	}
	q.subject, q.other = array, left
	switch left.typ {
	case TypeString:
		if left.constant {
			return k.matched(q, left.node, left.string.get(nil), left.form)
		}
		return answer(k, q, array.string, func(s *state[C], x string) bool { return x == left.string.get(s) }), nil
	case TypeInt:
		return answer(k, q, array.int, func(s *state[C], x int64) bool { return x == left.int.get(s) }), nil
	case TypeIP:
		return answer(k, q, array.ip, func(s *state[C], x netip.Prefix) bool { return x.Overlaps(left.ip.get(s)) }), nil
	}
	return left, k.fail(n, "%s is not for truth values", n.Op)
}

// arrayInArray compiles whether any element of one array is in another that is known only at evaluation; for allin of
// addresses, whether all are. What is sought travels in the state: a closure for each element would be allocated.
func (k *compiler[C]) arrayInArray(n *Binary, q question[C], array value[C]) (value[C], error) {
	q.other = array
	q.other.weight *= weightArray
	switch array.typ {
	case TypeString:
		same := func(s *state[C], x string) bool { return x == s.sought.string }
		return answer(k, q, q.subject.string, func(s *state[C], x string) bool {
			s.sought.string = x
			return array.string.some(s, same)
		}), nil
	case TypeInt:
		same := func(s *state[C], x int64) bool { return x == s.sought.int }
		return answer(k, q, q.subject.int, func(s *state[C], x int64) bool {
			s.sought.int = x
			return array.int.some(s, same)
		}), nil
	case TypeIP:
		overlap := func(s *state[C], x netip.Prefix) bool { return x.Overlaps(s.sought.ip) }
		inside := func(s *state[C], x netip.Prefix) bool {
			s.sought.ip = x
			return array.ip.some(s, overlap)
		}
		return k.anyOrAll(n, q, inside), nil
	}
	return q.subject, k.fail(n, "%s is not for truth values", n.Op)
}

// anyOrAll asks for any address inside networks, or with allin that none lies outside.
func (k *compiler[C]) anyOrAll(n *Binary, q question[C], inside func(*state[C], netip.Prefix) bool) value[C] {
	if n.Op != "allin" || !q.subject.array {
		return answer(k, q, q.subject.ip, inside)
	}
	q.negative = true
	return answer(k, q, q.subject.ip, func(s *state[C], x netip.Prefix) bool { return !inside(s, x) })
}
