package secl

import "math/bits"

// What the tracer's filter can look at before it stops a process: the 32 bits of open(2)'s flags, zero-extended, and the
// number of a signal.
const (
	flagsField  = "open.flags"
	signalField = "signal.type"
)

// need says which bits the call must have, at least one of them, for a truth value to be true or false: those of an open's
// flags, or the one bit that stands for a signal's number. 0 says nothing. It may name too many bits, never too few.
type need struct{ whenTrue, whenFalse uint64 }

func (n need) not() need { return need{n.whenFalse, n.whenTrue} }

// both is the need of a && b, and of !(a || b) when it is given the needs of the negations.
func both(a, b uint64) uint64 {
	switch {
	case a == 0:
		return b
	case b == 0 || bits.OnesCount64(a) <= bits.OnesCount64(b):
		return a
	}
	return b
}

// either is the need of a || b.
func either(a, b uint64) uint64 {
	if a == 0 || b == 0 {
		return 0
	}
	return a | b
}

func (n need) and(m need) need {
	return need{both(n.whenTrue, m.whenTrue), either(n.whenFalse, m.whenFalse)}
}

func (n need) or(m need) need {
	return need{either(n.whenTrue, m.whenTrue), both(n.whenFalse, m.whenFalse)}
}

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
			n.whenTrue |= 1 << number
		} else {
			n.whenFalse |= 1 << number
		}
	}
	return n
}

// flagsNeed works out the need of (flags & mask) op k, where flags & mask is not negative.
func flagsNeed(mask uint64, op string, k int64) need {
	zeroHolds := holds(op, 0, k)
	switch {
	case !zeroHolds && op == "==":
		// Zero can't be equal to k, so k's own bits are there, which are fewer than the mask's.
		if own := uint64(k) & mask; own != 0 {
			return need{whenTrue: own}
		}
		return need{whenTrue: mask}
	case !zeroHolds:
		return need{whenTrue: mask}
	case op == "!=":
		if own := uint64(k) & mask; own != 0 {
			return need{whenFalse: own}
		}
	}
	return need{whenFalse: mask}
}
