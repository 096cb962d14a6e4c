package ptrace

import (
	"unsafe"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// Phase is where in a system call a tracee stands.
type Phase uint8

// The phases. Unsure is all that kernels before 5.3 tell; the tracer then goes by its own count.
const (
	Unsure Phase = iota
	Entry
	Exit
)

// Call is a system call as the tracee's registers have it. Number and Args are valid at entry, Result at exit; with
// Phase Unsure all of them are filled in and those that don't apply mean nothing.
type Call struct {
	Phase  Phase
	ABI    syscalls.ABI
	Number uint32
	Args   [6]uint64
	Result int64 // negative errno on failure
}

// info mirrors struct ptrace_syscall_info of linux/ptrace.h (Linux 5.3).
type info struct {
	op    uint8
	_     [3]uint8
	arch  uint32
	ip    uint64
	sp    uint64
	union [9]uint64 // entry, seccomp: number, six arguments; exit: result, is_error
}

const (
	opEntry   = 1
	opExit    = 2
	opSeccomp = 3
)

// Reader reads calls; the zero value finds out by itself what the kernel offers.
type Reader struct {
	old  bool // no PTRACE_GET_SYSCALL_INFO
	info info
	regs registers
}

// Read fills in the call of a tracee in a syscall-stop or seccomp-stop. atSeccomp tells which of the two it is.
func (r *Reader) Read(tid int, atSeccomp bool, c *Call) unix.Errno {
	if !r.old {
		errno := fetch(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(r.info), unsafe.Pointer(&r.info))
		if errno == 0 {
			return r.fromInfo(c)
		}
		if errno != unix.EIO && errno != unix.EINVAL {
			return errno
		}
		r.old = true
	}
	return r.fromRegisters(tid, atSeccomp, c)
}

// HasInfo tells whether the kernel has PTRACE_GET_SYSCALL_INFO (5.3), of a tracee that stands.
func HasInfo(tid int) bool {
	var i info
	return fetch(unix.PTRACE_GET_SYSCALL_INFO, tid, unsafe.Sizeof(i), unsafe.Pointer(&i)) == 0
}

func (r *Reader) fromInfo(c *Call) unix.Errno {
	switch r.info.op {
	case opEntry, opSeccomp:
		c.Phase = Entry
		c.Number = uint32(r.info.union[0])
		copy(c.Args[:], r.info.union[1:7])
		c.ABI = abiOf(r.info.arch, c.Number)
	case opExit:
		c.Phase = Exit
		c.Result = int64(r.info.union[0])
	default:
		return unix.ESRCH
	}
	return 0
}

// fromRegisters serves kernels before 5.3. The filter says which ABI a call belongs to; without a filter the registers
// and the instruction that was executed have to.
func (r *Reader) fromRegisters(tid int, atSeccomp bool, c *Call) unix.Errno {
	if errno := r.regs.read(tid); errno != 0 {
		return errno
	}
	c.Phase = Unsure
	if atSeccomp {
		c.Phase = Entry
		message, errno := Message(tid)
		if errno != 0 {
			return errno
		}
		c.ABI = syscalls.ABI(message)
	} else {
		c.ABI = r.regs.abi(tid)
	}
	r.regs.fill(c)
	if entryShows && !atSeccomp && c.Result != -int64(unix.ENOSYS) {
		c.Phase = Exit
	}
	return 0
}

// Interrupted reads the call out of which a tracee came that now stands in any other stop; ok is false when it was in
// none. A call that the kernel will restart counts as none.
func (r *Reader) Interrupted(tid int, abi syscalls.ABI, c *Call) (ok bool) {
	if r.regs.read(tid) != 0 {
		return false
	}
	c.Phase, c.ABI = Exit, abi
	r.regs.fill(c)
	return c.Number != ^uint32(0) && !restarts(c.Result)
}

// Fresh tells whether a tracee that stands, in any stop, has executed a program of which no instruction has run yet.
func (r *Reader) Fresh(tid int) bool { return r.regs.read(tid) == 0 && r.regs.fresh() }

// restarts knows the kernel's own codes for a call to be restarted (include/linux/errno.h).
func restarts(result int64) bool { return result <= -512 && result >= -516 }

// word reads 8 bytes of the tracee's text; only for the few that say which instruction made the call.
func word(tid int, address uintptr) (uint64, unix.Errno) {
	var value uint64
	errno := fetch(unix.PTRACE_PEEKTEXT, tid, address, unsafe.Pointer(&value))
	return value, errno
}
