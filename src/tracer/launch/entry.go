// Package launch turns the process that was started into the application: it brings a tracer to life as a process apart,
// lets it attach, and executes the command in its own place. What the tracer then sees is left to others.
package launch

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The application must inherit which signals are ignored and blocked, and which of the standard descriptors are closed,
// but the Go runtime installs its handlers, changes the mask and opens /dev/null before any Go code runs. So the program's entry point is the assembly in this package
// (the linker's flag -E), which notes them and then jumps to the runtime's own entry.
var (
	ignored uint64
	blocked uint64
	closed  uint64
	noted   uint64
)

// The main goroutine stays on the main thread: its id is the pid, and only an exec from it keeps attachments.
func init() { runtime.LockOSThread() }

// Noted tells whether the program was linked with its own entry point.
func Noted() bool { return noted != 0 }

// restore gives the calling thread and its program the signals and descriptors that this process was started with.
func restore() {
	if noted == 0 {
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
