// Package seccomp turns what to trap into a BPF program and installs it, as the only user of seccomp(2); stopping at the
// trapped calls and reading them is left to others.
package seccomp

import (
	"fmt"
	"slices"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// Foreign is what PTRACE_GETEVENTMSG gives at the stop of a call whose ABI the program was not made for. At all other
// stops it gives the syscalls.ABI of the call, which kernels before 5.3 don't tell the tracer in any other way.
const Foreign = unix.SECCOMP_RET_DATA

const (
	allow   = unix.SECCOMP_RET_ALLOW
	foreign = unix.SECCOMP_RET_TRACE | Foreign
)

func tracked(abi syscalls.ABI) uint32 { return unix.SECCOMP_RET_TRACE | uint32(abi) }

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
	a.tree(s.numbers(want))
	for _, abi := range s.abis {
		emitChecks(a, abi, want)
		a.label(trapLabel(abi))
		a.give(tracked(abi))
		a.label(allowLabel(abi))
		a.give(allow)
	}
	a.label(end)
}

func trapLabel(abi syscalls.ABI) string  { return abi.String() + " trap" }
func allowLabel(abi syscalls.ABI) string { return abi.String() + " allow" }

// emitChecks puts those that look at arguments, each once, as many calls have the same.
func emitChecks(a *assembler, abi syscalls.ABI, want *Trap) {
	placed := map[string]bool{}
	for _, n := range syscalls.Numbers(abi) {
		c := want.check(n.Row)
		if label := c.label(abi); c.test > trap && !placed[label] {
			placed[label] = true
			c.emit(a, abi)
		}
	}
}

// numbers spreads the calls over their checks.
func (s *section) numbers(want *Trap) spans {
	list := s.untracked()
	for _, abi := range s.abis {
		for _, n := range syscalls.Numbers(abi) {
			c := want.check(n.Row)
			list = list.add(n.NR, c.label(abi), allowLabel(abi))
		}
	}
	if s.has(syscalls.AMD64) && !s.has(syscalls.X32) {
		list = list.from(syscalls.X32Bit, foreignLabel)
	}
	return list
}

// untracked is where numbers go before anything is said about them.
func (s *section) untracked() spans {
	first := allowLabel(s.abis[0])
	if s.abis[0] == syscalls.X32 {
		return everything(foreignLabel).from(syscalls.X32Bit, first)
	}
	return everything(first)
}

func (s *section) has(abi syscalls.ABI) bool { return slices.Contains(s.abis, abi) }
