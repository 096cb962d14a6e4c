package seccomp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// span is a range of values that go to one label: from first up to the next span's first.
type span struct {
	first uint32
	to    string
}

// spans cover all values, the first beginning at 0.
type spans []span

// everything starts spans with one label for all values.
func everything(to string) spans { return spans{{0, to}} }

// add sends the single value to a label. Values come in ascending order; what follows goes where the last span went
// before, which is rest.
func (s spans) add(value uint32, to, rest string) spans {
	s = s.from(value, to)
	if value == ^uint32(0) {
		return s
	}
	return s.from(value+1, rest)
}

// from sends all values from first on to a label and keeps neighbours with one label together.
func (s spans) from(first uint32, to string) spans {
	if last := &s[len(s)-1]; last.first == first {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1].to == to {
		return s
	}
	return append(s, span{first, to})
}

// tree emits a balanced search for the loaded value. A list of comparisons costs 1 ns an entry on kernels before 5.11,
// and on later ones too for calls which are filtered by argument.
func (a *assembler) tree(s spans) {
	if len(s) == 1 {
		a.goTo(s[0].to)
		return
	}
	middle := len(s) / 2
	low, high := s[:middle], s[middle:]
	switch {
	case len(low) == 1 && len(high) == 1:
		a.jump(unix.BPF_JGE, high[0].first, high[0].to, low[0].to)
	case len(low) == 1:
		a.jump(unix.BPF_JGE, high[0].first, next, low[0].to)
		a.tree(high)
	default:
		a.both(low, high)
	}
}

// both emits two subtrees; the higher is at least as large as the lower.
func (a *assembler) both(low, high spans) {
	upper := fmt.Sprintf("subtree %d", len(a.code))
	a.jump(unix.BPF_JGE, high[0].first, upper, next)
	a.tree(low)
	a.label(upper)
	a.tree(high)
}
