package ptrace

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestFresh(t *testing.T) {
	for name, c := range map[string]struct {
		regs  unix.PtraceRegs
		fresh bool
	}{
		"after execve(2)":                   {unix.PtraceRegs{Rip: 0x401710, Rsp: 0x7ffe0, Eflags: 0x200, Orig_rax: 59}, true},
		"after execve(2) on Linux 3.4":      {unix.PtraceRegs{Rip: 0x401710, Rsp: 0x7ffe0, Eflags: 0x200, Orig_rax: 59, R11: 0x200}, true},
		"after a call that returned 0":      {unix.PtraceRegs{Rip: 0x401710, Rsp: 0x7ffe0, Eflags: 0x246, Rcx: 0x401710, R11: 0x246}, false},
		"with something in r11":             {unix.PtraceRegs{Rip: 0x401710, Rsp: 0x7ffe0, Eflags: 0x200, R11: 0x7ffe0}, false},
		"after the first instruction or so": {unix.PtraceRegs{Rip: 0x401713, Rsp: 0x7ffe0, Eflags: 0x200, Rdi: 0x7ffe0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if r := (registers{c.regs}); r.fresh() != c.fresh {
				t.Errorf("fresh is %v", !c.fresh)
			}
		})
	}
}
