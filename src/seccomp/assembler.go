package seccomp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// maxInstructions is BPF_MAXINSNS of linux/bpf_common.h.
const maxInstructions = 4096

// farthest is what a conditional jump reaches: its offsets have 8 bits. An unconditional one has 32.
const farthest = 255

// next stands for the instruction that follows.
const next = ""

// instruction is one whose jumps still have names.
type instruction struct {
	op      uint16
	k       uint32
	yes, no string
}

func (i *instruction) conditional() bool {
	return i.op&0x07 == unix.BPF_JMP && i.op&0xf0 != unix.BPF_JA
}

// assembler collects instructions and the places that their jumps name. BPF jumps only forward.
type assembler struct {
	code   []instruction
	places map[string]int // label → index in code
	err    error          // the first one
}

func newAssembler() *assembler { return &assembler{places: map[string]int{}} }

func (a *assembler) label(name string) {
	if _, taken := a.places[name]; taken && a.err == nil {
		a.err = fmt.Errorf("place label %q: it has a place already", name)
	}
	a.places[name] = len(a.code)
}

// load reads 32 bits of struct seccomp_data.
func (a *assembler) load(offset uint32) {
	a.code = append(a.code, instruction{op: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, k: offset})
}

// jump compares what was loaded with k; test is BPF_JEQ, BPF_JGE or BPF_JSET.
func (a *assembler) jump(test uint16, k uint32, yes, no string) {
	a.code = append(a.code, instruction{op: unix.BPF_JMP | unix.BPF_K | test, k: k, yes: yes, no: no})
}

func (a *assembler) goTo(name string) {
	a.code = append(a.code, instruction{op: unix.BPF_JMP | unix.BPF_JA, yes: name})
}

func (a *assembler) give(action uint32) {
	a.code = append(a.code, instruction{op: unix.BPF_RET | unix.BPF_K, k: action})
}

// assemble replaces names by offsets. A conditional jump that doesn't reach goes to an unconditional one behind it,
// which moves everything after it, so lengths are settled first.
func (a *assembler) assemble() ([]unix.SockFilter, error) {
	if err := a.verify(); err != nil {
		return nil, err
	}
	l := a.settle()
	if size := l.at[len(a.code)]; size > maxInstructions {
		return nil, fmt.Errorf("assemble filter: %d instructions, the kernel takes %d", size, maxInstructions)
	}
	var out []unix.SockFilter
	for i := range a.code {
		out = append(out, l.encode(i)...)
	}
	return out, nil
}

func (a *assembler) verify() error {
	if a.err != nil {
		return a.err
	}
	for i := range a.code {
		for _, name := range []string{a.code[i].yes, a.code[i].no} {
			place, known := a.places[name]
			switch {
			case name == next:
			case !known:
				return fmt.Errorf("resolve label %q: it has no place", name)
			case place <= i:
				return fmt.Errorf("resolve label %q: it lies behind the jump", name)
			case place >= len(a.code):
				return fmt.Errorf("resolve label %q: no instruction follows it", name)
			}
		}
	}
	return nil
}

// layout says where instructions are and which of their jumps take the long way.
type layout struct {
	*assembler
	at              []int // one more than there are instructions: the end
	longYes, longNo []bool
}

// settle ends because a jump that became long stays so.
func (a *assembler) settle() *layout {
	n := len(a.code)
	l := &layout{assembler: a, at: make([]int, n+1), longYes: make([]bool, n), longNo: make([]bool, n)}
	for changed := true; changed; {
		l.place()
		changed = false
		for i := range a.code {
			if !a.code[i].conditional() {
				continue
			}
			if !l.longYes[i] && l.distance(i, a.code[i].yes) > farthest {
				l.longYes[i], changed = true, true
			}
			if !l.longNo[i] && l.distance(i, a.code[i].no) > farthest {
				l.longNo[i], changed = true, true
			}
		}
	}
	return l
}

func (l *layout) place() {
	for i := range l.code {
		l.at[i+1] = l.at[i] + 1 + count(l.longYes[i]) + count(l.longNo[i])
	}
}

func count(long bool) int {
	if long {
		return 1
	}
	return 0
}

// distance counts the instructions between number i and the label.
func (l *layout) distance(i int, name string) int {
	place := i + 1
	if name != next {
		place = l.places[name]
	}
	return l.at[place] - l.at[i] - 1
}

func (l *layout) encode(i int) []unix.SockFilter {
	in := &l.code[i]
	if !in.conditional() {
		out := unix.SockFilter{Code: in.op, K: in.k}
		if in.op == unix.BPF_JMP|unix.BPF_JA {
			out.K = uint32(l.distance(i, in.yes))
		}
		return []unix.SockFilter{out}
	}
	out := []unix.SockFilter{{Code: in.op, K: in.k}}
	if yes := l.distance(i, in.yes); l.longYes[i] {
		out = append(out, l.far(yes-len(out)))
	} else {
		out[0].Jt = uint8(yes)
	}
	if no := l.distance(i, in.no); l.longNo[i] {
		out[0].Jf = uint8(len(out) - 1)
		out = append(out, l.far(no-len(out)))
	} else {
		out[0].Jf = uint8(no)
	}
	return out
}

func (*layout) far(distance int) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(distance)}
}
