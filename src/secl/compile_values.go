package secl

import (
	"net/netip"
)

// compareBools compiles == and != of truth values.
func (k *compiler[C]) compareBools(n *Binary, op string, left, right value[C]) (value[C], error) {
	if op != "==" && op != "!=" {
		return left, k.fail(n, "%s doesn't order true and false", op)
	}
	y := right.bool.get
	q := question[C]{n, left, right, op == "!="}
	return answer(k, q, left.bool, func(s *state[C], x bool) bool { return x == y(s) }), nil
}

// compareAddresses compiles == and != of addresses and networks, which mean overlap.
func (k *compiler[C]) compareAddresses(n *Binary, op string, left, right value[C]) (value[C], error) {
	if op != "==" && op != "!=" {
		return left, k.fail(n, "%s doesn't order addresses", op)
	}
	q := question[C]{n, left, right, op == "!="}
	y := right.ip.get
	return answer(k, q, left.ip, func(s *state[C], x netip.Prefix) bool { return x.Overlaps(y(s)) }), nil
}

// compareAge compiles a comparison with a duration. A moment is compared by its age, the result of + or - as it is.
func (k *compiler[C]) compareAge(n *Binary, left, right value[C]) (value[C], error) {
	switch {
	case left.age:
		return left, k.fail(n.Left, "a duration stands on the right of %s", n.Op)
	case left.typ != TypeInt:
		return left, k.fail(n, "can't compare %s with a duration", describe(left))
	case n.Op == "!=":
		return left, k.fail(n, "!= is not supported with a duration")
	}
	q := question[C]{n, left, right, false}
	op, limit := n.Op, right.int.get(nil)
	if left.computed {
		return answer(k, q, left.int, compareWithConstant[C](op, limit)), nil
	}
	pred := compareWithConstant[C](op, limit)
	return answer(k, q, left.int, func(s *state[C], x int64) bool { return pred(s, s.time()-x) }), nil
}
