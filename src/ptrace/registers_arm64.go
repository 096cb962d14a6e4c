package ptrace

import (
	"unsafe"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// ArgsSurvive tells whether the arguments can still be read at the exit of a call: x0 then holds the result.
const ArgsSurvive = false

const (
	prStatus       = 1 // NT_PRSTATUS
	programCounter = 32
	arm32Length    = 72 // bytes of a 32-bit tracee's register set: 18 words
)

// entryShows: at an entry stop the result register still holds the first argument.
const entryShows = false

// registers holds the general register set of a 64-bit or a 32-bit tracee.
type registers struct {
	raw    [34]uint64
	length uint64
}

func (r *registers) read(tid int) unix.Errno {
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&r.raw)), Len: uint64(unsafe.Sizeof(r.raw))}
	errno := fetch(unix.PTRACE_GETREGSET, tid, prStatus, unsafe.Pointer(&vector))
	r.length = vector.Len
	return errno
}

func (r *registers) abi(int) syscalls.ABI {
	if r.length == arm32Length {
		return syscalls.ARM
	}
	return syscalls.ARM64
}

func (r *registers) write(tid int) unix.Errno {
	vector := unix.Iovec{Base: (*byte)(unsafe.Pointer(&r.raw)), Len: r.length}
	return fetch(unix.PTRACE_SETREGSET, tid, prStatus, unsafe.Pointer(&vector))
}

// door is how the code that runs now calls the kernel. 32-bit programs have two instruction sets to do it by, and are
// left alone.
func (r *registers) door() (syscalls.ABI, []byte) {
	if r.length == arm32Length {
		return syscalls.ARM, nil
	}
	return syscalls.ARM64, []byte{0x01, 0x00, 0x00, 0xd4} // svc #0
}

// call sets up a call by the instruction at an address. The registers of a stop in which a call was interrupted have been
// prepared for its restart by the kernel already (arch/arm64/kernel/signal.c); a sleep that has a time of its own begins
// anew.
func (r *registers) call(at uint64, number uint32, args []uint64) {
	copy(r.raw[:6], args)
	r.raw[8], r.raw[programCounter] = uint64(number), at
}

// fresh tells whether a program has not executed one instruction yet: execve(2) clears every register but the stack pointer
// and the program counter (start_thread of arch/arm64/include/asm/processor.h).
func (r *registers) fresh() bool {
	var some uint64
	if r.length == arm32Length {
		words := (*[18]uint32)(unsafe.Pointer(&r.raw))
		for _, word := range words[:13] {
			some |= uint64(word)
		}
		return some == 0
	}
	for _, value := range r.raw[:31] {
		some |= value
	}
	return some == 0
}

func (r *registers) fill(c *Call) {
	if r.length == arm32Length {
		words := (*[18]uint32)(unsafe.Pointer(&r.raw))
		for i := range c.Args {
			c.Args[i] = uint64(words[i])
		}
		c.Number, c.Result = words[7], int64(int32(words[0]))
		return
	}
	copy(c.Args[:], r.raw[:6])
	c.Number, c.Result = uint32(r.raw[8]), int64(r.raw[0])
}

func abiOf(arch, _ uint32) syscalls.ABI {
	if arch == unix.AUDIT_ARCH_ARM {
		return syscalls.ARM
	}
	return syscalls.ARM64
}
