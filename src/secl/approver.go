package secl

import "math/bits"

// What the tracer's filter can look at before it stops a process: the 32 bits of open(2)'s flags, zero-extended, and the
// number of a signal.
const (
	flagsField  = "open.flags"
	signalField = "signal.type"
)

// demand is what a call must be like: one of the bits any at least, when there are some, and none of the bits none. The
// bits are those of an open's flags, or the one that stands for a signal's number. It may ask for less than is needed,
// never for more.
type demand struct{ any, none uint64 }

// met tells whether bits are as they must be.
func (d demand) met(bits uint64) bool { return (d.any == 0 || bits&d.any != 0) && bits&d.none == 0 }

// and is the demand of a && b, and of !(a || b) when it is given the demands of the negations.
func (d demand) and(o demand) demand { return demand{fewer(d.any, o.any), d.none | o.none} }

// or is the demand of a || b.
func (d demand) or(o demand) demand {
	if d.any == 0 || o.any == 0 {
		return demand{0, d.none & o.none}
	}
	return demand{d.any | o.any, d.none & o.none}
}

func fewer(a, b uint64) uint64 {
	switch {
	case a == 0:
		return b
	case b == 0 || bits.OnesCount64(a) <= bits.OnesCount64(b):
		return a
	}
	return b
}

// need says what the call must be like for a truth value to be true or false.
type need struct{ whenTrue, whenFalse demand }

func (n need) not() need { return need{n.whenFalse, n.whenTrue} }

func (n need) and(m need) need { return need{n.whenTrue.and(m.whenTrue), n.whenFalse.or(m.whenFalse)} }

func (n need) or(m need) need { return need{n.whenTrue.or(m.whenTrue), n.whenFalse.and(m.whenFalse)} }

// needOf is the need of v op k; none when v is nothing that the filter can look at.
func needOf[C any](v *value[C], op string, k int64) need {
	switch {
	case v.flags != 0:
		return flagsNeed(uint64(v.flags), op, k)
	case v.field != nil && v.field.name == signalField:
		return signalNeed(op, k)
	}
	return need{}
}

// signalNeed goes through the numbers that have a bit. The filter lets pass none of the others.
func signalNeed(op string, k int64) (n need) {
	for number := range int64(64) {
		if holds(op, number, k) {
			n.whenTrue.any |= 1 << number
		} else {
			n.whenFalse.any |= 1 << number
		}
	}
	return n
}

// flagsNeed works out the need of (flags & mask) op k, where flags & mask is not negative.
func flagsNeed(mask uint64, op string, k int64) need {
	return need{flagsDemand(mask, op, k), flagsDemand(mask, opposite[op], k)}
}

var opposite = map[string]string{"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

// flagsDemand works out what flags must be like for (flags & mask) op k to hold.
func flagsDemand(mask uint64, op string, k int64) demand {
	switch {
	case op == "==" && uint64(k)&mask != 0:
		return demand{uint64(k) & mask, mask &^ uint64(k)}
	case op == "==" && k == 0 || op == "<=" && k == 0 || op == "<" && k == 1:
		return demand{none: mask}
	case !holds(op, 0, k): // zero is not among what holds
		return demand{any: mask}
	}
	return demand{}
}
