package probe

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"golang.org/x/net/bpf"
)

// filterCut tells whether a filter was longer than what is reported of it.
func filterCut(o *event.Sockopt) bool { return len(o.Filter) < 8*int(o.FilterLen) }

// parseFilter reads the sock_filter structs of SO_ATTACH_FILTER (socket(7)) in the byte order of this machine. What is cut
// in an instruction is left out.
func parseFilter(raw []byte) []bpf.RawInstruction {
	var list []bpf.RawInstruction
	for ; len(raw) >= 8; raw = raw[8:] {
		list = append(list, bpf.RawInstruction{
			Op: binary.NativeEndian.Uint16(raw), Jt: raw[2], Jf: raw[3], K: binary.NativeEndian.Uint32(raw[4:]),
		})
	}
	return list
}

// instructions are a line of assembler each.
func instructions(raw []byte) string {
	decoded, _ := bpf.Disassemble(parseFilter(raw))
	var lines []string
	for _, i := range decoded {
		lines = append(lines, fmt.Sprint(i))
	}
	return strings.Join(lines, "\n")
}

// filterHash is the SHA-256 of a filter as it was given, empty for none.
func filterHash(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// immediates are the numbers that a filter compares with or computes by: ports and magic values, which give backdoors away.
func immediates(raw []byte) []int64 {
	var list []int64
	decoded, _ := bpf.Disassemble(parseFilter(raw))
	for _, i := range decoded {
		var n uint32
		switch i := i.(type) {
		case bpf.JumpIf:
			n = i.Val
		case bpf.LoadConstant:
			n = i.Val
		case bpf.ALUOpConstant:
			n = i.Val
		default:
			continue
		}
		if !slices.Contains(list, int64(n)) {
			list = append(list, int64(n))
		}
	}
	return list
}
