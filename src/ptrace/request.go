package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options are asked for at every seize. TRACEEXEC, TRACEFORK and the like make the kernel attach new children and
// threads by itself. EXITKILL is never asked for: the application outlives its tracer.
const Options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACESECCOMP

// OptionsBeforeSeccomp are for kernels without seccomp filters, where TRACESECCOMP makes the seize fail with EIO (3.4).
const OptionsBeforeSeccomp = Options &^ unix.PTRACE_O_TRACESECCOMP

// call is ptrace(2) without the scheduler's knowledge: it never blocks, and the tracing thread must keep its processor.
func call(request, tid int, addr, data uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	return errno
}

// fetch is call for the requests that write somewhere. It takes a pointer because a number would not follow when the
// stack moves.
func fetch(request, tid int, addr uintptr, into unsafe.Pointer) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, uintptr(into), 0, 0)
	return errno
}

// Seize attaches to one thread without stopping it (Linux 3.4). ESRCH: it is gone; EPERM: not allowed, or traced by
// somebody else.
func Seize(tid, options int) unix.Errno {
	return call(unix.PTRACE_SEIZE, tid, 0, uintptr(options))
}

// Interrupt makes a seized thread stop with Trapped.
func Interrupt(tid int) unix.Errno { return call(unix.PTRACE_INTERRUPT, tid, 0, 0) }

// Resume lets a stopped tracee run, with a signal to deliver or 0, to its next event. With untilSyscall it also stops
// at the next entry or exit of a call.
func Resume(tid int, untilSyscall bool, signal int) unix.Errno {
	request := unix.PTRACE_CONT
	if untilSyscall {
		request = unix.PTRACE_SYSCALL
	}
	return call(request, tid, 0, uintptr(signal))
}

// SetOptions replaces the options of a stopped tracee.
func SetOptions(tid, options int) unix.Errno {
	return call(unix.PTRACE_SETOPTIONS, tid, 0, uintptr(options))
}

// Listen leaves a tracee in its group-stop, so that only SIGCONT ends it.
func Listen(tid int) unix.Errno { return call(unix.PTRACE_LISTEN, tid, 0, 0) }

// Detach lets a stopped tracee go for good, with a signal to deliver or 0.
func Detach(tid, signal int) unix.Errno { return call(unix.PTRACE_DETACH, tid, 0, uintptr(signal)) }

// Sender gives the pid that sent the signal of a signal-delivery-stop by kill(2); 0 when the kernel did.
func Sender(tid int) int {
	var info [128]byte
	if fetch(unix.PTRACE_GETSIGINFO, tid, 0, unsafe.Pointer(&info)) != 0 {
		return 0
	}
	code := *(*int32)(unsafe.Pointer(&info[8]))
	if code > 0 {
		return 0
	}
	return int(*(*int32)(unsafe.Pointer(&info[16])))
}

// Event gives the PTRACE_EVENT of the stop that a tracee is in; 0 when it is in none, or in another.
func Event(tid int) int {
	var info [128]byte
	if fetch(unix.PTRACE_GETSIGINFO, tid, 0, unsafe.Pointer(&info)) != 0 {
		return 0
	}
	signal, code := *(*int32)(unsafe.Pointer(&info[0])), *(*int32)(unsafe.Pointer(&info[8]))
	if signal != int32(unix.SIGTRAP) || code&0xff != int32(unix.SIGTRAP) {
		return 0
	}
	return int(code >> 8)
}

// Message gives the number that belongs to an event stop: the new child's tid, the former tid of an exec, the data of
// a seccomp action.
func Message(tid int) (uint64, unix.Errno) {
	var message uint64
	errno := fetch(unix.PTRACE_GETEVENTMSG, tid, 0, unsafe.Pointer(&message))
	return message, errno
}

// Wait blocks until any tracee or child of the calling thread changes state; those of other threads are left to them. It keeps the processor of the calling thread, so a process that
// waits here must give its other goroutines processors of their own. EINTR is returned when a handler without
// SA_RESTART ran, ECHILD when nothing is left to wait for.
func Wait() (Stop, unix.Errno) { return wait(-1, unix.WNOTHREAD) }

// PollAny is Wait without blocking: TID is 0 when nothing has changed.
func PollAny() (Stop, unix.Errno) { return wait(-1, unix.WNOTHREAD|unix.WNOHANG) }

// Poll is Wait for one tracee or, with -1, any, without blocking: TID is 0 when nothing has changed.
func Poll(tid int) (Stop, unix.Errno) { return wait(tid, unix.WNOHANG) }

// WaitFor is Wait for one tracee.
func WaitFor(tid int) (Stop, unix.Errno) { return wait(tid, 0) }

// Zombie tells whether a child or tracee has ended, and leaves it to be waited for. A process counts as ended when its last
// thread has.
func Zombie(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == int32(unix.SIGCHLD) || err == unix.ECHILD
}

func wait(which, flags int) (Stop, unix.Errno) {
	var status uint32
	tid, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, uintptr(which), uintptr(unsafe.Pointer(&status)),
		uintptr(unix.WALL|flags), 0, 0, 0)
	if errno != 0 || tid == 0 {
		return Stop{}, errno
	}
	return Classify(int(tid), unix.WaitStatus(status)), 0
}
