package secl

// logic compiles && and ||. The cheaper side is asked first: there are no side effects.
func (k *compiler[C]) logic(n *Binary) (value[C], error) {
	left, right, err := k.two(n)
	if err != nil {
		return left, err
	}
	if left, err = k.truth(left); err != nil {
		return left, err
	}
	if right, err = k.truth(right); err != nil {
		return right, err
	}
	first, second := left.bool.get, right.bool.get
	if right.weight < left.weight {
		first, second = second, first
	}
	out := value[C]{
		node: n, typ: TypeBool, constant: left.constant && right.constant,
		weight: left.weight + right.weight, need: left.need.and(right.need),
		guard: left.guard.and(right.guard),
	}
	out.bool.get = func(s *state[C]) bool { return first(s) && second(s) }
	if n.Op == "||" {
		out.need, out.guard = left.need.or(right.need), left.guard.or(right.guard)
		out.bool.get = func(s *state[C]) bool { return first(s) || second(s) }
	}
	return out, nil
}

// truth makes one truth value of a field or variable that stands alone: of an array, whether any element is true.
func (k *compiler[C]) truth(v value[C]) (value[C], error) {
	switch {
	case v.typ != TypeBool:
		return v, k.fail(v.node, "this must be true or false, it is %s", describe(v))
	case v.constant || v.field == nil && !v.array:
		return v, nil
	}
	isTrue := func(_ *state[C], x bool) bool { return x }
	return answer(k, question[C]{node: v.node, subject: v}, v.bool, isTrue), nil
}

func (k *compiler[C]) unary(n *Unary) (value[C], error) {
	v, err := k.compile(n.Operand)
	if err == nil && n.Op == "!" {
		v, err = k.truth(v)
	}
	if err != nil {
		return v, err
	}
	want := TypeInt
	if n.Op == "!" {
		want = TypeBool
	}
	if v.typ != want || v.array || v.age {
		return v, k.fail(n, "%s takes a single %s, this is %s", n.Op, want, describe(v))
	}
	out := value[C]{node: n, typ: want, constant: v.constant, weight: v.weight, need: v.need.not()}
	switch x, b := v.int.get, v.bool.get; n.Op {
	case "!":
		out.bool.get = func(s *state[C]) bool { return !b(s) }
	case "-":
		out.int.get = func(s *state[C]) int64 { return -x(s) }
	case "^":
		out.int.get = func(s *state[C]) int64 { return ^x(s) }
	}
	return out, nil
}

// arithmetic compiles + - & | ^ on single numbers.
func (k *compiler[C]) arithmetic(n *Binary) (value[C], error) {
	left, right, err := k.two(n)
	if err != nil {
		return left, err
	}
	for _, side := range []value[C]{left, right} {
		if side.typ != TypeInt || side.array {
			return left, k.fail(side.node, "%s takes single numbers, this is %s", n.Op, describe(side))
		}
	}
	out := value[C]{
		node: n, typ: TypeInt, constant: left.constant && right.constant, weight: left.weight + right.weight,
		computed: n.Op == "+" || n.Op == "-", flags: maskedFlags(n.Op, left, right),
	}
	x, y := left.int.get, right.int.get
	switch n.Op {
	case "+":
		out.int.get = func(s *state[C]) int64 { return x(s) + y(s) }
	case "-":
		out.int.get = func(s *state[C]) int64 { return x(s) - y(s) }
	case "&":
		out.int.get = func(s *state[C]) int64 { return x(s) & y(s) }
	case "|":
		out.int.get = func(s *state[C]) int64 { return x(s) | y(s) }
	case "^":
		out.int.get = func(s *state[C]) int64 { return x(s) ^ y(s) }
	}
	if out.constant {
		out.int = constant[C](out.int.get(nil))
	}
	return out, nil
}

// maskedFlags tells whether the operation is open.flags & constant, and gives the bits that are left.
func maskedFlags[C any](op string, left, right value[C]) uint32 {
	switch {
	case op != "&":
		return 0
	case right.constant:
		return left.flags & uint32(right.int.get(nil))
	case left.constant:
		return right.flags & uint32(left.int.get(nil))
	}
	return 0
}

// lint warns where and and or mix without parentheses: the language groups them to the right, readers don't expect it.
// The first place is enough.
func (k *compiler[C]) lint(n Node) (warned bool) {
	if u, ok := n.(*Unary); ok {
		return k.lint(u.Operand)
	}
	b, ok := n.(*Binary)
	if !ok || k.lint(b.Left) {
		return ok
	}
	inner, ok := b.Right.(*Binary)
	if !ok || !isLogic(b.Op) || !isLogic(inner.Op) || inner.Op == b.Op || inner.Grouped {
		return k.lint(b.Right)
	}
	k.warn("%s and %s mix without parentheses: read as %s %s (%s)",
		b.Op, inner.Op, shortened(b.Left), b.Op, shortened(inner))
	return true
}

// shortened prints an expression for a log line.
func shortened(n Node) string {
	const most = 200
	if text := Print(n); len(text) <= most {
		return text
	}
	return "…"
}

func isLogic(op string) bool { return op == "&&" || op == "||" }
