// Package seccomp turns what to trap into a BPF program and installs it, as the only user of seccomp(2); stopping at the
// trapped calls and reading them is left to others.
package seccomp

import (
	"fmt"
	"slices"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// What PTRACE_GETEVENTMSG gives at a stop of this filter: the data of SECCOMP_RET_TRACE.
const (
	Tracked = 1 // a call of the table
	Foreign = 2 // a call of an ABI that the program was not made for
)

const (
	allow   = unix.SECCOMP_RET_ALLOW
	tracked = unix.SECCOMP_RET_TRACE | Tracked
	foreign = unix.SECCOMP_RET_TRACE | Foreign
)

const foreignLabel = "foreign architecture"

// Program makes the filter for programs of the given ABIs, at most one section per architecture value.
//
// A call of any other ABI stops with Foreign as data. To allow it would hide it, to kill or refuse it would break what
// runs; a stop lets the tracer say what it saw and go on. On today's kernels it doesn't happen when abis is that of
// syscalls.ABIsOf: amd64 kernels report two architecture values and arm64 kernels two.
func Program(abis []syscalls.ABI, want Trap) ([]unix.SockFilter, error) {
	if len(abis) == 0 {
		return nil, fmt.Errorf("compile filter: no ABI given")
	}
	a := newAssembler()
	a.load(offsetArch)
	for _, s := range sections(abis) {
		s.emit(a, &want)
	}
	a.label(foreignLabel)
	a.give(foreign)
	program, err := a.assemble()
	if err != nil {
		return nil, fmt.Errorf("compile filter: %w", err)
	}
	return program, nil
}

// section is what happens to calls of one architecture value.
type section struct {
	name string
	arch uint32
	abis []syscalls.ABI
}

func sections(abis []syscalls.ABI) []*section {
	var list []*section
	byArch := map[uint32]*section{}
	for _, abi := range abis {
		s := byArch[abi.AuditArch()]
		if s == nil {
			s = &section{name: abi.String(), arch: abi.AuditArch()}
			byArch[s.arch] = s
			list = append(list, s)
		}
		s.abis = append(s.abis, abi)
		slices.Sort(s.abis) // numbers ascend: those of X32 lie above those of AMD64
	}
	return list
}

// emit expects the architecture loaded and leaves it so for the section behind. Its own answers stand at its end, where
// short jumps reach them.
func (s *section) emit(a *assembler, want *Trap) {
	end := s.name + " end"
	a.jump(unix.BPF_JEQ, s.arch, next, end)
	a.load(offsetNR)
	numbers, checks := s.numbers(want)
	a.tree(numbers)
	for i := range checks {
		checks[i].emit(a, s.name)
	}
	a.label(s.name + " trap")
	a.give(tracked)
	a.label(s.name + " allow")
	a.give(allow)
	a.label(end)
}

// numbers spreads the calls over their checks, and lists those checks that look at arguments, each once.
func (s *section) numbers(want *Trap) (spans, []check) {
	var checks []check
	known := map[string]bool{}
	list := s.untracked()
	for _, abi := range s.abis {
		for _, n := range syscalls.Numbers(abi) {
			c := want.check(n.Row)
			label := c.label(s.name)
			if c.test > trap && !known[label] {
				known[label] = true
				checks = append(checks, c)
			}
			list = list.add(n.NR, label, s.name+" allow")
		}
	}
	if s.has(syscalls.AMD64) && !s.has(syscalls.X32) {
		list = list.from(syscalls.X32Bit, foreignLabel)
	}
	return list, checks
}

// untracked is where numbers go before anything is said about them.
func (s *section) untracked() spans {
	if s.has(syscalls.X32) && !s.has(syscalls.AMD64) {
		return everything(foreignLabel).from(syscalls.X32Bit, s.name+" allow")
	}
	return everything(s.name + " allow")
}

func (s *section) has(abi syscalls.ABI) bool { return slices.Contains(s.abis, abi) }
