package tracer

import (
	"os"
	"os/signal"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelAction is struct sigaction of the kernel.
type kernelAction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	saNoChildStop = 0x00000001
	saRestart     = 0x10000000
)

func action(signal unix.Signal) (a kernelAction) {
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), 0, uintptr(unsafe.Pointer(&a)), 8, 0, 0)
	return a
}

func setAction(signal unix.Signal, action *kernelAction) {
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal), uintptr(unsafe.Pointer(action)), 0, 8, 0, 0)
}

// prepareWake takes SA_RESTART off the handler that Go installs: wait4 would never be interrupted.
func prepareWake() {
	signal.Notify(make(chan os.Signal, 1), wakeSignal)
	wake := action(wakeSignal)
	wake.flags &^= saRestart
	setAction(wakeSignal, &wake)
}

// quietChildren spares the loop a SIGCHLD, with Go's handler, for every stop of a tracee (SA_NOCLDSTOP), and keeps those
// of the ends of tracees away from this thread: each would be a stop of it for its guardian. The signal must not be
// ignored, because the kernel would then reap the application's children before their parents see them.
func quietChildren() {
	setAction(unix.SIGCHLD, &kernelAction{flags: saNoChildStop})
	changeMask(unix.SIG_BLOCK, 1<<(unix.SIGCHLD-1))
}

// changeMask changes the calling thread's signal mask; an image that it executes starts with it.
func changeMask(how int, mask uint64) {
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, uintptr(how), uintptr(unsafe.Pointer(&mask)), 0, 8, 0, 0)
}
