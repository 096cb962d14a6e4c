package secl

import (
	"net/netip"
	"time"
)

// state is what one evaluation carries along.
type state[C any] struct {
	c       *C
	model   *Model[C]
	element any   // what the fields of iterators read
	now     int64 // nanoseconds since the epoch; 0 until somebody asks
	sought  struct {
		int    int64
		string string
		ip     netip.Prefix
	}
	chosen []uint64 // by an index, a bit for each rule
}

// begin takes a state out of the pool: one on the stack would escape through the closures and be allocated anew.
func (m *Model[C]) begin(c *C) *state[C] {
	s, ok := m.states.Get().(*state[C])
	if !ok {
		s = new(state[C])
	}
	s.c, s.model = c, m
	return s
}

func (m *Model[C]) end(s *state[C]) {
	*s = state[C]{chosen: s.chosen[:0]}
	m.states.Put(s)
}

// time gives the moment of this evaluation.
func (s *state[C]) time() int64 {
	if s.now == 0 {
		if s.model.Now != nil {
			s.now = s.model.Now(s.c)
		} else {
			s.now = time.Now().UnixNano()
		}
	}
	return s.now
}

// test is a compiled truth value.
type test[C any] func(*state[C]) bool

// operand is a compiled value of one Go type: a scalar has get, an array has some, which tells whether any of its
// elements satisfies a test. A scalar that goes by other names has some, too, for those.
type operand[C, T any] struct {
	get  func(*state[C]) T
	some func(*state[C], func(*state[C], T) bool) bool
}

// any makes the test that some element, or the scalar, satisfies pred.
func (o operand[C, T]) any(pred func(*state[C], T) bool) test[C] {
	switch {
	case o.some == nil:
		return func(s *state[C]) bool { return pred(s, o.get(s)) }
	case o.get == nil:
		return func(s *state[C]) bool { return o.some(s, pred) }
	}
	return func(s *state[C]) bool { return pred(s, o.get(s)) || o.some(s, pred) }
}

// or gives an operand the other names of a scalar, or of each element that an iterator walks.
func (o operand[C, T]) or(it *iterator[C], others func(*state[C]) []T) operand[C, T] {
	if it == nil {
		o.some = elements(others).some
		return o
	}
	first, more := o.some, along(it, nil, others).some
	o.some = func(s *state[C], pred func(*state[C], T) bool) bool { return first(s, pred) || more(s, pred) }
	return o
}

func constant[C, T any](v T) operand[C, T] {
	return operand[C, T]{get: func(*state[C]) T { return v }}
}

func scalar[C, T any](get func(*state[C]) T) operand[C, T] { return operand[C, T]{get: get} }

// elements makes the operand of an array.
func elements[C, T any](get func(*state[C]) []T) operand[C, T] {
	return operand[C, T]{some: func(s *state[C], pred func(*state[C], T) bool) bool {
		for _, v := range get(s) {
			if pred(s, v) {
				return true
			}
		}
		return false
	}}
}

// along makes the operand of an iterator's field when no variable ties it to one element; one of get and all is set.
// The element that a variable has bound is put back before the test runs, because the test may read it.
func along[C, T any](it *iterator[C], get func(*state[C]) T, all func(*state[C]) []T) operand[C, T] {
	return operand[C, T]{some: func(s *state[C], pred func(*state[C], T) bool) bool {
		bound, n := s.element, 0
		for e := it.first(s.c); e != nil && n < maxElements; e = it.next(s.c, e) {
			n++
			s.element = e
			if get != nil {
				v := get(s)
				s.element = bound
				if pred(s, v) {
					return true
				}
				continue
			}
			list := all(s)
			s.element = bound
			for _, v := range list {
				if pred(s, v) {
					return true
				}
			}
		}
		return false
	}}
}

// value is the result of compiling a node.
type value[C any] struct {
	node     Node
	typ      Type
	array    bool
	constant bool // known when compiling: get may be called with a nil state
	computed bool // the result of + or -, which counts as a length of time and not as a moment
	form     Form // of string constants
	age      bool // a duration literal
	field    *field[C]
	weight   int    // relative cost of evaluation
	flags    uint32 // not 0: the value is open.flags & flags
	need     need   // what the approver may conclude from a truth value
	guard    *guard[C]

	int    operand[C, int64]
	string operand[C, string]
	bool   operand[C, bool]
	ip     operand[C, netip.Prefix]
}

// Relative costs, so that the cheaper side of and, or is asked first.
const (
	weightInt     = 1
	weightString  = 3
	weightPattern = 8
	weightRegexp  = 100
	weightArray   = 10 // factor
)
