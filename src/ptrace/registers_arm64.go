package ptrace

import (
	"unsafe"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// ArgsSurvive tells whether the arguments can still be read at the exit of a call: x0 then holds the result.
const ArgsSurvive = false

const (
	prStatus    = 1  // NT_PRSTATUS
	arm32Length = 72 // bytes of a 32-bit tracee's register set: 18 words
)

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
