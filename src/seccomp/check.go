package seccomp

import (
	"fmt"
	"slices"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// test is how a check looks at its argument.
type test uint8

const (
	pass    test = iota // never trapped
	trap                // always trapped
	hasBit              // any bit of mask is set
	hasNone             // no bit of mask is set
	spares              // no bit of mask is set, or one of unless
	among               // the value is a bit of mask; beyond decides from 64 on
	listed              // the value is in list
	present             // all 64 bits are looked at: a pointer that isn't null
)

// check decides whether one call is trapped. All arguments but pointers are ints to the kernel, which ignores the upper
// half of the register, and so do the tests.
type check struct {
	test   test
	arg    int8
	mask   uint64 // hasBit, hasNone and spares use 32 bits of it
	unless uint32
	beyond bool
	list   []int32
}

// holds is the check in Go, for a tracer that stops at every call and for the tests.
func (c *check) holds(args *[6]uint64) bool {
	if c.test <= trap {
		return c.test == trap
	}
	word := uint32(args[c.arg])
	switch c.test {
	case hasBit:
		return word&uint32(c.mask) != 0
	case hasNone:
		return word&uint32(c.mask) == 0
	case spares:
		return word&uint32(c.mask) == 0 || word&c.unless != 0
	case among:
		return word < 64 && c.mask>>word&1 != 0 || word >= 64 && c.beyond
	case listed:
		return slices.Contains(c.list, int32(word))
	}
	return args[c.arg] != 0
}

// label is the same for checks that do the same.
func (c *check) label(abi syscalls.ABI) string {
	switch c.test {
	case pass:
		return allowLabel(abi)
	case trap:
		return trapLabel(abi)
	}
	return fmt.Sprintf("%v argument %d %s %#x %#x %t %d", abi, c.arg,
		[...]string{hasBit: "has any of", hasNone: "has none of", spares: "is spared", among: "among", listed: "in", present: "is not null"}[c.test],
		c.mask, c.unless, c.beyond, c.list)
}

// Offsets in struct seccomp_data of linux/seccomp.h. The arguments are 64-bit numbers, low word first: both supported
// machines are little-endian.
const (
	offsetNR   = 0
	offsetArch = 4
	offsetArgs = 16
)

// emit puts the check under its label.
func (c *check) emit(a *assembler, abi syscalls.ABI) {
	hit, miss := trapLabel(abi), allowLabel(abi)
	low := offsetArgs + 8*uint32(c.arg)
	a.label(c.label(abi))
	a.load(low)
	switch c.test {
	case hasBit:
		a.jump(unix.BPF_JSET, uint32(c.mask), hit, miss)
	case hasNone:
		a.jump(unix.BPF_JSET, uint32(c.mask), miss, hit)
	case spares:
		a.jump(unix.BPF_JSET, uint32(c.mask), next, hit)
		a.jump(unix.BPF_JSET, c.unless, hit, miss)
	case among, listed:
		a.tree(c.values(hit, miss))
	case present:
		a.jump(unix.BPF_JEQ, 0, next, hit)
		a.load(low + 4)
		a.jump(unix.BPF_JEQ, 0, miss, hit)
	}
}

func (c *check) values(hit, miss string) spans {
	s := everything(miss)
	if c.test == listed {
		for _, value := range ascending(c.list) {
			s = s.add(value, hit, miss)
		}
		return s
	}
	for value := range uint32(64) {
		if c.mask>>value&1 != 0 {
			s = s.add(value, hit, miss)
		}
	}
	if c.beyond {
		s = s.from(64, hit)
	}
	return s
}

// ascending sorts as BPF compares, without sign, and sheds doubles.
func ascending(list []int32) []uint32 {
	sorted := make([]uint32, len(list))
	for i, value := range list {
		sorted[i] = uint32(value)
	}
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
