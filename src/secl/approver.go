package secl

import "math/bits"

// flagsField is the field whose bits the tracer's filter can look at before it stops a process. Its getter must give
// the 32 bits of open(2)'s flags zero-extended.
const flagsField = "open.flags"

// need says which flag bits an open must have, at least one of them, for a truth value to be true or false. 0 says
// nothing. It may name too many bits, never too few.
type need struct{ whenTrue, whenFalse uint32 }

func (n need) not() need { return need{n.whenFalse, n.whenTrue} }

// both is the need of a && b, and of !(a || b) when it is given the needs of the negations.
func both(a, b uint32) uint32 {
	switch {
	case a == 0:
		return b
	case b == 0 || bits.OnesCount32(a) <= bits.OnesCount32(b):
		return a
	}
	return b
}

// either is the need of a || b.
func either(a, b uint32) uint32 {
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

// flagsNeed works out the need of (flags & mask) op k, where flags & mask is not negative.
func flagsNeed(mask uint32, op string, k int64) need {
	zeroHolds := holds(op, 0, k)
	switch {
	case !zeroHolds && op == "==":
		// Zero can't be equal to k, so k's own bits are there, which are fewer than the mask's.
		if own := uint32(k) & mask; own != 0 {
			return need{whenTrue: own}
		}
		return need{whenTrue: mask}
	case !zeroHolds:
		return need{whenTrue: mask}
	case op == "!=":
		if own := uint32(k) & mask; own != 0 {
			return need{whenFalse: own}
		}
	}
	return need{whenFalse: mask}
}
