package secl

import (
	"regexp"
	"strings"
)

// text compiles a string literal. Those with ${…} or %{…} are put together at evaluation.
func (k *compiler[C]) text(n *StringLiteral) (value[C], error) {
	if n.Form == Plain && (strings.Contains(n.Text, "${") || strings.Contains(n.Text, "%{")) {
		return k.template(n)
	}
	return value[C]{
		node: n, typ: TypeString, form: n.Form, constant: true, string: constant[C](n.Text),
	}, nil
}

// compareStrings compiles == and !=; a constant may be a plain string, a pattern or a regexp.
func (k *compiler[C]) compareStrings(n *Binary, op string, left, right value[C]) (value[C], error) {
	if op != "==" && op != "!=" {
		return left, k.fail(n, "%s doesn't order strings", op)
	}
	q := question[C]{n, left, right, op == "!="}
	if !right.constant {
		y := right.string.get
		return answer(k, q, left.string, func(s *state[C], x string) bool { return x == y(s) }), nil
	}
	if left.constant && left.form != Plain {
		left, right = right, left
		q.subject, q.other = left, right
	}
	return k.matched(q, right.node, right.string.get(nil), right.form)
}

// match compiles =~ and !~, whose right side is read as a pattern unless it is a regexp.
func (k *compiler[C]) match(n *Binary, left, right value[C]) (value[C], error) {
	switch {
	case left.typ != TypeString || right.typ != TypeString || right.array:
		return left, k.fail(n, "%s matches strings, not %s with %s", n.Op, describe(left), describe(right))
	case !right.constant:
		return left, k.fail(n.Right, "the right side of %s must be a literal", n.Op)
	}
	form := right.form
	if form == Plain {
		form = Pattern
	}
	return k.matched(question[C]{n, left, right, n.Op == "!~"}, right.node, right.string.get(nil), form)
}

// matched finishes a comparison of the subject with a literal.
func (k *compiler[C]) matched(q question[C], at Node, text string, form Form) (value[C], error) {
	guard := k.guardOf(q, guardLiteral(text, form, q.subject.field != nil && q.subject.field.glob))
	if form == Plain {
		out := answer(k, q, q.subject.string, func(_ *state[C], x string) bool { return x == text })
		out.guard = guard
		return out, nil
	}
	match, err := k.matcher(at, text, form, q.subject.field)
	if err != nil {
		return value[C]{}, err
	}
	q.other.weight = weightPattern
	if form == Regexp {
		q.other.weight = weightRegexp
	}
	out := answer(k, q, q.subject.string, func(_ *state[C], x string) bool { return match(x) })
	out.guard = guard
	return out, nil
}

// matcher compiles a pattern or regexp for a field.
func (k *compiler[C]) matcher(at Node, text string, form Form, f *field[C]) (matcher, error) {
	glob := f != nil && f.glob
	if form == Pattern {
		m, err := compilePattern(text, glob)
		if err != nil {
			return nil, k.fail(at, "pattern %q: %v", text, err)
		}
		return m, nil
	}
	if glob {
		k.warn("%s: the language documents no regexps on paths", f.name)
	}
	if len(text) > maxRegexp {
		return nil, k.fail(at, "regexp is %d bytes long, more than %d", len(text), maxRegexp)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, k.fail(at, "%v", err)
	}
	return re.MatchString, nil
}
