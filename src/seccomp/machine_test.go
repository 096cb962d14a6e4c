package seccomp

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// machine runs the very instructions that are installed.
type machine struct {
	vm     *bpf.VM
	code   []unix.SockFilter
	packet [offsetArgs + 6*8]byte
}

func newMachine(t testing.TB, code []unix.SockFilter) *machine {
	t.Helper()
	var parsed []bpf.Instruction
	for i, in := range code {
		raw := bpf.RawInstruction{Op: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}
		known := raw.Disassemble()
		if _, unknown := known.(bpf.RawInstruction); unknown {
			t.Fatalf("instruction %d is none: %+v", i, in)
		}
		parsed = append(parsed, known)
	}
	vm, err := bpf.NewVM(parsed)
	if err != nil {
		t.Fatal(err)
	}
	return &machine{vm: vm, code: code}
}

// run gives the action. The VM is made for packets and loads 32 bits in network order; seccomp loads them in the order of
// the machine. So each word is laid out in network order where the kernel, which is little-endian, has it: an argument's
// low word first.
func (m *machine) run(t testing.TB, arch, nr uint32, args *[6]uint64) uint32 {
	t.Helper()
	put := func(offset int, word uint32) { binary.BigEndian.PutUint32(m.packet[offset:], word) }
	put(offsetNR, nr)
	put(offsetArch, arch)
	for i, arg := range args {
		put(offsetArgs+8*i, uint32(arg))
		put(offsetArgs+8*i+4, uint32(arg>>32))
	}
	action, err := m.vm.Run(m.packet[:])
	if err != nil {
		t.Fatal(err)
	}
	return uint32(action)
}

// steps counts the instructions that the kernel would run; the VM doesn't say.
func (m *machine) steps(arch, nr uint32, args *[6]uint64) (count int, action uint32) {
	words := map[uint32]uint32{offsetNR: nr, offsetArch: arch}
	for i, arg := range args {
		words[offsetArgs+8*uint32(i)], words[offsetArgs+8*uint32(i)+4] = uint32(arg), uint32(arg>>32)
	}
	var loaded uint32
	for at := 0; ; at++ {
		in := m.code[at]
		count++
		var yes bool
		switch in.Code {
		case unix.BPF_RET | unix.BPF_K:
			return count, in.K
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			loaded = words[in.K]
			continue
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(in.K)
			continue
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ:
			yes = loaded == in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JGE:
			yes = loaded >= in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JSET:
			yes = loaded&in.K != 0
		}
		if yes {
			at += int(in.Jt)
		} else {
			at += int(in.Jf)
		}
	}
}
