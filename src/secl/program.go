package secl

// Match is a comparison that held when a rule hit.
type Match struct {
	Offset, Length int // bytes of the rule's expression
	Field          string
	Value          string
}

// leaf is one comparison of a rule, kept to explain a hit.
type leaf[C any] struct {
	Span
	field string
	// held tells whether the comparison holds and for which value; "" where no single value made it hold.
	held func(*state[C]) (string, bool)
}

func newLeaf[C, T any](at Span, q question[C], o operand[C, T], pred func(*state[C], T) bool, t test[C]) leaf[C] {
	out := leaf[C]{Span: at}
	if q.subject.field != nil {
		out.field = q.subject.field.name
	}
	out.held = func(s *state[C]) (shown string, held bool) {
		switch {
		case !t(s):
			return "", false
		case o.get != nil:
			return printValue(o.get(s)), true
		case q.negative:
			return "", true
		}
		o.some(s, func(s *state[C], v T) bool {
			found := pred(s, v)
			if found {
				shown = printValue(v)
			}
			return found
		})
		return shown, true
	}
	return out
}

// Eval tells whether the expression is true for c. It doesn't allocate beyond what the caller's getters do.
func (p *Program[C]) Eval(c *C) bool {
	s := p.model.begin(c)
	defer p.model.end(s)
	return p.eval(s)
}

func (p *Program[C]) eval(s *state[C]) bool {
	if p.walk == nil {
		return p.test(s)
	}
	n := 0
	for e := p.walk.first(s.c); e != nil && n < maxElements; e = p.walk.next(s.c, e) {
		n++
		s.element = e
		if p.test(s) {
			return true
		}
	}
	s.element = nil
	return false
}

// Explain gives the comparisons that hold for c, in the order of the expression. It is empty when the
// expression is false, and when it is true only because other comparisons are not.
func (p *Program[C]) Explain(c *C) []Match {
	s := p.model.begin(c)
	defer p.model.end(s)
	if !p.eval(s) {
		return nil
	}
	var out []Match
	for _, l := range p.leaves {
		if shown, held := l.held(s); held {
			out = append(out, Match{l.From, l.To - l.From, l.field, shown})
		}
	}
	return out
}
