package seccomp

import (
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// TestTreeIsBalanced compares the steps of every native call with what a balanced search needs.
func TestTreeIsBalanced(t *testing.T) {
	for _, goarch := range machines {
		list := syscalls.ABIsOf(goarch)
		m := compile(t, list, TrapOf(event.All()))
		tracked := 0
		for _, abi := range list {
			if abi.AuditArch() == list[0].AuditArch() {
				tracked += len(syscalls.Numbers(abi))
			}
		}
		limit := 4 // load, compare the architecture, load, answer
		for ranges := 2*tracked + 1; ranges > 0; ranges /= 2 {
			limit++
		}
		limit *= 2 // every jump may take the long way
		for nr := range uint32(600) {
			if n, _ := m.steps(list[0].AuditArch(), nr, &[6]uint64{}); n > limit {
				t.Errorf("%s call %d: %d steps, a balanced tree needs at most %d", goarch, nr, n, limit)
			}
		}
	}
}

func BenchmarkProgram(b *testing.B) {
	hot := []string{"read", "write", "openat", "close", "futex", "newfstatat", "kill", "prctl"}
	for _, name := range []string{"everything", "narrowed", "write opens"} {
		want := variations()[name]
		b.Run(name, func(b *testing.B) {
			var code []unix.SockFilter
			for b.Loop() {
				code, _ = Program(syscalls.ABIsOf("amd64"), want)
			}
			m := newMachine(b, code)
			b.ReportMetric(float64(len(code)), "instructions")
			for nr := range uint32(600) {
				for _, call := range hot {
					if syscalls.Name(syscalls.AMD64, nr) == call {
						n, _ := m.steps(syscalls.AMD64.AuditArch(), nr, &[6]uint64{})
						b.ReportMetric(float64(n), call+"-steps")
					}
				}
			}
		})
	}
}
