package secl

import "cmp"

// mirror gives the operator that says the same with the sides exchanged.
var mirror = map[string]string{"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}

// compare compiles the scalar operators. An array, and else the side that isn't constant, is moved to the left.
func (k *compiler[C]) compare(n *Binary) (value[C], error) {
	left, right, err := k.two(n)
	if err != nil {
		return left, err
	}
	if n.Op == "=~" || n.Op == "!~" {
		return k.match(n, left, right)
	}
	if left.age || right.age {
		return k.compareAge(n, left, right)
	}
	op := n.Op
	switch {
	case left.array && right.array:
		return left, k.fail(n, "two arrays can't be compared; use in")
	case right.array && right.typ != TypeInt:
		return left, k.fail(n.Right, "an array of %s stands on the left of %s", right.typ, op)
	case right.array, left.constant && !right.constant:
		left, right, op = right, left, mirror[op]
	}
	if left.typ != right.typ {
		return left, k.fail(n, "can't compare %s with %s", describe(left), describe(right))
	}
	switch left.typ {
	case TypeInt:
		return k.compareInts(n, op, left, right), nil
	case TypeString:
		return k.compareStrings(n, op, left, right)
	case TypeIP:
		return k.compareAddresses(n, op, left, right)
	}
	return k.compareBools(n, op, left, right)
}

// question is a comparison about to be compiled: does some element of the subject, or the scalar, satisfy a test?
type question[C any] struct {
	node     Node
	subject  value[C]
	other    value[C]
	negative bool // the answer is the opposite: != on an array means that no element is equal
}

// answer compiles a question and records it as a leaf.
func answer[C, T any](k *compiler[C], q question[C], o operand[C, T], pred func(*state[C], T) bool) value[C] {
	weight := q.subject.weight + q.other.weight
	if q.subject.array {
		weight *= weightArray
	}
	t := o.any(pred)
	if positive := t; q.negative {
		t = func(s *state[C]) bool { return !positive(s) }
	}
	k.leaves = append(k.leaves, newLeaf(k.place(q.node), q, o, pred, t))
	return value[C]{
		node: q.node, typ: TypeBool, weight: weight,
		constant: q.subject.constant && q.other.constant, bool: operand[C, bool]{get: t},
	}
}

// holds tells whether x op y.
func holds[T cmp.Ordered](op string, x, y T) bool {
	switch op {
	case "==":
		return x == y
	case "!=":
		return x != y
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

func (k *compiler[C]) compareInts(n *Binary, op string, left, right value[C]) value[C] {
	q := question[C]{n, left, right, op == "!="}
	if !right.constant {
		return answer(k, q, left.int, compareWithInt(op, right.int.get))
	}
	y := right.int.get(nil)
	out := answer(k, q, left.int, compareWithConstant[C](op, y))
	out.need = needOf(&left, op, y)
	return out
}

// compareWithConstant has a closure for each operator, so that an evaluation doesn't look at the operator. != is the
// test for ==.
func compareWithConstant[C any](op string, y int64) func(*state[C], int64) bool {
	switch op {
	case "==", "!=":
		return func(_ *state[C], x int64) bool { return x == y }
	case "<":
		return func(_ *state[C], x int64) bool { return x < y }
	case "<=":
		return func(_ *state[C], x int64) bool { return x <= y }
	case ">":
		return func(_ *state[C], x int64) bool { return x > y }
	}
	return func(_ *state[C], x int64) bool { return x >= y }
}

func compareWithInt[C any](op string, y func(*state[C]) int64) func(*state[C], int64) bool {
	switch op {
	case "==", "!=":
		return func(s *state[C], x int64) bool { return x == y(s) }
	case "<":
		return func(s *state[C], x int64) bool { return x < y(s) }
	case "<=":
		return func(s *state[C], x int64) bool { return x <= y(s) }
	case ">":
		return func(s *state[C], x int64) bool { return x > y(s) }
	}
	return func(s *state[C], x int64) bool { return x >= y(s) }
}
