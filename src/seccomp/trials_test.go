package seccomp

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// childVariable names the trial that this binary runs instead of the tests: a filter stays until the process ends.
const childVariable = "SECCOMP_TEST_TRIAL"

var trials = map[string]func() error{
	"privileged":   privileged,
	"unprivileged": unprivileged,
	"other thread": otherThread,
	"all threads":  allThreads,
	"32 bits":      execute32,
	"Linux 4.16":   func() error { return onKernel(without(unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW)) },
	"Linux 4.17":   func() error { return onKernel(only(unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW)) },
	"Linux 3.16":   func() error { return onKernel(withoutSeccomp) },
	"Linux 3.4":    func() error { return onKernel(withoutFilters) },
}

func TestMain(m *testing.M) {
	trial, asked := trials[os.Getenv(childVariable)]
	if !asked {
		os.Exit(m.Run())
	}
	runtime.LockOSThread()
	if err := trial(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// some is an interest that leaves the Go runtime and the trials alone.
func some() Trap {
	return TrapOf(event.Interest{Kinds: event.SetOf(event.Mkdir, event.Open), OpenFlags: unix.O_TRUNC})
}

func install(flags uint) error {
	program, err := Program(syscalls.ABIsOf(runtime.GOARCH), some())
	if err != nil {
		return err
	}
	return Install(program, flags)
}

// privileged expects ENOSYS of the trapped calls, as seccomp(2) has it for SECCOMP_RET_TRACE without a tracer.
func privileged() error {
	before := status("Speculation_Store_Bypass")
	if err := install(0); err != nil {
		return err
	}
	if mode := status("Seccomp"); mode != "2" {
		return fmt.Errorf("the mode of seccomp is %q", mode)
	}
	if after := status("Speculation_Store_Bypass"); after != before {
		return fmt.Errorf("the speculation was %q and is now %q", before, after)
	}
	if set := status("NoNewPrivs"); set == "1" {
		return errors.New("no_new_privs is set, which nobody asked for")
	}
	return filtered()
}

// emptyPath ends with ENOENT where a call is made; it doesn't move as what is on a stack may.
var emptyPath [1]byte

func filtered() error {
	path := uintptr(unsafe.Pointer(&emptyPath))
	trapped := map[string]unix.Errno{
		"mkdirat":           errno(unix.SYS_MKDIRAT, ^uintptr(99), path, 0, 0),
		"openat O_TRUNC":    errno(unix.SYS_OPENAT, ^uintptr(99), path, unix.O_TRUNC, 0),
		"openat2":           errno(unix.SYS_OPENAT2, 0, 0, 0, 0),
		"calibration":       errno(unix.SYS_SETFSUID, uintptr(CalibrationArgument), 0, 0, 0),
		"setns":             errno(unix.SYS_SETNS, ^uintptr(0), 0, 0, 0),
		"io_uring_setup":    errno(unix.SYS_IO_URING_SETUP, 0, 0, 0, 0),
		"open_by_handle_at": errno(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, unix.O_TRUNC, 0),
	}
	for name, got := range trapped {
		if got != unix.ENOSYS {
			return fmt.Errorf("%s is not trapped: %v", name, got)
		}
	}
	if got := errno(unix.SYS_OPENAT, ^uintptr(99), path, unix.O_RDONLY, 0); got != unix.ENOENT {
		return fmt.Errorf("openat for reading ends with %v", got)
	}
	if got := errno(unix.SYS_GETPID, 0, 0, 0, 0); got != 0 {
		return fmt.Errorf("getpid ends with %v", got)
	}
	return nil
}

func errno(nr, a, b, c, d uintptr) unix.Errno {
	_, _, e := unix.RawSyscall6(nr, a, b, c, d, 0, 0)
	return e
}

func unprivileged() error {
	const nobody = 65534
	if e := errno(unix.SYS_SETRESUID, nobody, nobody, nobody, 0); e != 0 {
		return e
	}
	if err := install(0); !errors.Is(err, ErrNotPermitted) {
		return fmt.Errorf("without privileges: %v", err)
	}
	if err := NoNewPrivs(); err != nil {
		return err
	}
	if err := install(0); err != nil {
		return fmt.Errorf("with no_new_privs: %w", err)
	}
	return filtered()
}

func otherThread() error {
	call := elsewhere()
	if err := install(0); err != nil {
		return err
	}
	if got := call(); got == unix.ENOSYS {
		return errors.New("another thread has the filter too")
	}
	return filtered()
}

func allThreads() error {
	call := elsewhere()
	err := install(unix.SECCOMP_FILTER_FLAG_TSYNC)
	if errors.Is(err, ErrFlags) { // before 3.17
		return nil
	}
	if err != nil {
		return err
	}
	if got := call(); got != unix.ENOSYS {
		return fmt.Errorf("another thread has no filter: %v", got)
	}
	return filtered()
}

// onKernel makes the running kernel answer as an older one, by a filter, and says how Install takes it.
func onKernel(imitate func(*assembler)) error {
	a := newAssembler()
	a.load(offsetNR)
	imitate(a)
	a.label("as it is")
	a.give(unix.SECCOMP_RET_ALLOW)
	a.label("EINVAL")
	a.give(unix.SECCOMP_RET_ERRNO | uint32(unix.EINVAL))
	a.label("ENOSYS")
	a.give(unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS))
	program, err := a.assemble()
	if err != nil {
		return err
	}
	if err := Install(program, 0); err != nil {
		return err
	}
	err = install(0)
	if Supported() != nil {
		if !errors.Is(err, ErrNoFilter) {
			return fmt.Errorf("where there are no filters: %v", err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return filtered()
}

// without is seccomp(2) that doesn't know a flag.
func without(flag uint32) func(*assembler) {
	return func(a *assembler) {
		a.jump(unix.BPF_JEQ, unix.SYS_SECCOMP, next, "as it is")
		a.load(offsetArgs + 8)
		a.jump(unix.BPF_JSET, flag, "EINVAL", "as it is")
	}
}

// only is seccomp(2) that wants the flag, to see that it is asked for where it is known.
func only(flag uint32) func(*assembler) {
	return func(a *assembler) {
		a.jump(unix.BPF_JEQ, unix.SYS_SECCOMP, next, "as it is")
		a.load(offsetArgs + 8)
		a.jump(unix.BPF_JSET, flag, "as it is", "EINVAL")
	}
}

func withoutSeccomp(a *assembler) { a.jump(unix.BPF_JEQ, unix.SYS_SECCOMP, "ENOSYS", "as it is") }

func withoutFilters(a *assembler) {
	a.jump(unix.BPF_JEQ, unix.SYS_SECCOMP, "ENOSYS", next)
	a.jump(unix.BPF_JEQ, unix.SYS_PRCTL, next, "as it is")
	a.load(offsetArgs)
	a.jump(unix.BPF_JEQ, unix.PR_SET_SECCOMP, "EINVAL", "as it is")
}

// elsewhere starts a thread and gives what makes it do a trapped call, once.
func elsewhere() func() unix.Errno {
	ready, result := make(chan bool), make(chan unix.Errno)
	go func() {
		runtime.LockOSThread()
		ready <- true
		<-ready
		result <- errno(unix.SYS_SETNS, ^uintptr(0), 0, 0, 0)
	}()
	<-ready
	return func() unix.Errno {
		ready <- true
		return <-result
	}
}

// status gives a field of the calling thread.
func status(field string) string {
	text, _ := os.ReadFile("/proc/thread-self/status")
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, field+":"); found {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
