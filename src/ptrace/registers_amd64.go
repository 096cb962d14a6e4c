package ptrace

import (
	"unsafe"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// ArgsSurvive tells whether the arguments can still be read at the exit of a call.
const ArgsSurvive = true

// entryShows tells whether the result register holds ENOSYS at every entry stop, so that anything else is an exit (pt_regs of
// arch/x86/entry).
const entryShows = true

// registers holds user_regs_struct, which PTRACE_GETREGS of a 64-bit tracer gives for 32-bit tracees too.
type registers struct{ unix.PtraceRegs }

func (r *registers) read(tid int) unix.Errno {
	return fetch(unix.PTRACE_GETREGS, tid, 0, unsafe.Pointer(&r.PtraceRegs))
}

const (
	x32Bit      = 0x40000000
	userCS32    = 0x23 // __USER32_CS of arch/x86/include/asm/segment.h
	int80       = 0x80cd
	instruction = 2 // bytes of int $0x80, syscall and sysenter
)

// abi tells by which door the call came in: 64-bit code may use int $0x80 too.
func (r *registers) abi(tid int) syscalls.ABI {
	if r.Cs == userCS32 {
		return syscalls.I386
	}
	if text, errno := word(tid, uintptr(r.Rip-instruction)); errno == 0 && text&0xffff == int80 {
		return syscalls.I386
	}
	return abiOf(unix.AUDIT_ARCH_X86_64, uint32(r.Orig_rax))
}

func (r *registers) write(tid int) unix.Errno {
	return fetch(unix.PTRACE_SETREGS, tid, 0, unsafe.Pointer(&r.PtraceRegs))
}

// door is how the code that runs now calls the kernel.
func (r *registers) door() (syscalls.ABI, []byte) {
	if r.Cs == userCS32 {
		return syscalls.I386, []byte{0xcd, 0x80} // int $0x80
	}
	return syscalls.AMD64, []byte{0x0f, 0x05} // syscall
}

// call sets up a call by the instruction at an address. Without a number in Orig_rax the kernel restarts nothing on the way.
func (r *registers) call(at uint64, number uint32, args []uint64) {
	var a [6]uint64
	copy(a[:], args)
	if r.Cs == userCS32 {
		r.Rbx, r.Rcx, r.Rdx, r.Rsi, r.Rdi, r.Rbp = a[0], a[1], a[2], a[3], a[4], a[5]
	} else {
		r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9 = a[0], a[1], a[2], a[3], a[4], a[5]
	}
	r.Rip, r.Rax, r.Orig_rax = at, uint64(number), ^uint64(0)
}

// fresh tells whether a program has not executed one instruction yet: execve(2) clears every register but the stack pointer
// and the program counter (ELF_PLAT_INIT). Old kernels then put the flags into r11, as the syscall instruction does
// (stub_execve of Linux 3.4).
func (r *registers) fresh() bool {
	if r.R11 != 0 && r.R11 != r.Eflags {
		return false
	}
	return r.Rax|r.Rbx|r.Rcx|r.Rdx|r.Rsi|r.Rdi|r.Rbp|r.R8|r.R9|r.R10|r.R12|r.R13|r.R14|r.R15 == 0
}

func (r *registers) fill(c *Call) {
	c.Number = uint32(r.Orig_rax)
	if c.ABI == syscalls.I386 {
		c.Args = [6]uint64{low(r.Rbx), low(r.Rcx), low(r.Rdx), low(r.Rsi), low(r.Rdi), low(r.Rbp)}
		c.Result = int64(int32(r.Rax))
		return
	}
	c.Args = [6]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9}
	c.Result = int64(r.Rax)
}

func low(value uint64) uint64 { return value & 0xffffffff }

func abiOf(arch, number uint32) syscalls.ABI {
	if arch == unix.AUDIT_ARCH_I386 {
		return syscalls.I386
	}
	if number&x32Bit != 0 && number != ^uint32(0) {
		return syscalls.X32
	}
	return syscalls.AMD64
}
