// Package launch turns the process that was started into the application: it brings a tracer to life as a process apart,
// lets it attach, and executes the command in its own place. What the tracer then sees is left to others.
package launch

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The application must inherit which signals are ignored and blocked, and which of the standard descriptors are closed,
// but the Go runtime installs its handlers, changes the mask and opens /dev/null before any Go code runs. So the program's
// entry point is the assembly in this package (the linker's flag -E), which calls note and then jumps to the runtime's own
// entry.
var (
	ignored uint64
	blocked uint64
	closed  uint64
	noted   bool
)

// first is what the assembly calls.
//
//lint:ignore U1000 the assembly uses it
var first = note

// The main goroutine stays on the main thread: its id is the pid, and only an exec from it keeps attachments.
func init() { runtime.LockOSThread() }

// note runs on the stack that the kernel made, where there is no runtime yet: it may call only what is nosplit, and may
// allocate nothing.
//
//go:nosplit
func note(stack unsafe.Pointer) {
	for signal := range 64 {
		var action [4]uint64 // handler, flags and what else the kernel's struct sigaction has
		errno := early(unix.SYS_RT_SIGACTION, uintptr(signal+1), 0, uintptr(unsafe.Pointer(&action)), 8)
		if errno == 0 && action[0] == 1 { // SIG_IGN
			ignored |= 1 << signal
		}
	}
	early(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, 0, uintptr(unsafe.Pointer(&blocked)), 8)
	for fd := range 3 {
		if early(unix.SYS_FCNTL, uintptr(fd), unix.F_GETFD, 0, 0) == unix.EBADF {
			closed |= 1 << fd
		}
	}
	noted = true
	evade(stack)
}

// early makes a system call where there is no runtime.
//
//go:nosplit
func early(call, a, b, c, d uintptr) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(call, a, b, c, d, 0, 0)
	return errno
}

// restore gives the calling thread and its program the signals and descriptors that this process was started with.
func restore() {
	if !noted {
		return
	}
	for fd := range 3 {
		if closed&(1<<fd) != 0 {
			unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
		}
	}
	for signal := range 64 {
		if ignored&(1<<signal) != 0 {
			action := [4]uint64{1} // SIG_IGN
			unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal+1), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
		}
	}
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&blocked)), 0, 8, 0, 0)
}
