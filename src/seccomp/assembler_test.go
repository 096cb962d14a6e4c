package seccomp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// search assembles spans whose labels are the actions, with filler instructions between them that make jumps long.
func search(t *testing.T, s spans, actions map[string]uint32, filler int) *machine {
	t.Helper()
	a := newAssembler()
	a.load(offsetNR)
	a.tree(s)
	for name, action := range actions {
		a.label(name)
		for range filler {
			a.load(offsetNR)
		}
		a.give(action)
	}
	code, err := a.assemble()
	if err != nil {
		t.Fatal(err)
	}
	return newMachine(t, code)
}

func TestTreeFindsWhatAListFinds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{1, 2, 3, 4, 5, 17, 255, 256, 257, 400, 900} {
		for _, filler := range []int{0, 250, 600} {
			s, actions := everything("answer 0"), map[string]uint32{"answer 0": 0, "answer 1": 1, "answer 2": 2}
			for first := uint32(1); len(s) < size; first += 1 + random.Uint32N(5) {
				s = s.from(first, fmt.Sprintf("answer %d", random.IntN(3)))
			}
			m := search(t, s, actions, filler)
			last := s[len(s)-1].first
			for _, value := range append(edges(s), last+1, 1<<31, ^uint32(0)) {
				if got, need := m.run(t, 0, value, &[6]uint64{}), actions[linear(s, value)]; got != need {
					t.Fatalf("%d spans, %d fillers: %d gives %d, want %d", size, filler, value, got, need)
				}
			}
		}
	}
}

func edges(s spans) []uint32 {
	var list []uint32
	for _, one := range s {
		list = append(list, one.first, one.first+1)
		if one.first > 0 {
			list = append(list, one.first-1)
		}
	}
	return list
}

func linear(s spans, value uint32) string {
	to := ""
	for _, one := range s {
		if value >= one.first {
			to = one.to
		}
	}
	return to
}

func TestSpansAtTheEnds(t *testing.T) {
	s := everything("no").add(0, "yes", "no").add(^uint32(0), "yes", "no")
	for value, need := range map[uint32]string{0: "yes", 1: "no", ^uint32(0) - 1: "no", ^uint32(0): "yes"} {
		if got := linear(s, value); got != need {
			t.Errorf("%d goes to %q, want %q", value, got, need)
		}
	}
}

func TestAssemblerErrorsNameTheLabel(t *testing.T) {
	faults := map[string]func(*assembler){
		"nowhere": func(a *assembler) { a.jump(unix.BPF_JEQ, 0, "nowhere", next); a.give(0) },
		"behind":  func(a *assembler) { a.label("behind"); a.load(0); a.goTo("behind"); a.give(0) },
		"twice":   func(a *assembler) { a.label("twice"); a.load(0); a.label("twice"); a.give(0) },
		"empty":   func(a *assembler) { a.goTo("empty"); a.give(0); a.label("empty") },
	}
	for name, write := range faults {
		a := newAssembler()
		write(a)
		if _, err := a.assemble(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
			t.Errorf("error for label %q is %v", name, err)
		}
	}
}

func TestAssemblerRefusesWhatTheKernelWould(t *testing.T) {
	a := newAssembler()
	for range maxInstructions {
		a.load(0)
	}
	if _, err := a.assemble(); err != nil {
		t.Errorf("%d instructions: %v", maxInstructions, err)
	}
	a.give(0)
	if _, err := a.assemble(); err == nil {
		t.Errorf("%d instructions, yet no error", maxInstructions+1)
	}
}
