package feature

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/seccomp"
	"golang.org/x/sys/unix"
)

// sight is what a tracee showed.
type sight struct {
	seccomp    bool // there was a stop for a call that a filter traps
	afterEntry bool // and it came after the entry stop of that call
	info       bool // PTRACE_GET_SYSCALL_INFO answered
}

func (s sight) findings() []Finding {
	list := []Finding{{Name: "PTRACE_GET_SYSCALL_INFO", Since: "5.3", There: s.info, Without: "calls are read from the registers"}}
	if s.seccomp {
		list = append(list, Finding{Name: "seccomp stop after the entry stop", Since: "4.8", There: s.afterEntry,
			Without: "the older order is followed: seccomp stop, entry stop"})
	}
	return list
}

// observe traces the subject for as long as it takes to make one trapped call.
func observe(subject []string) (sight, error) {
	runtime.LockOSThread() // ptrace(2) knows the tracer by its thread
	defer runtime.UnlockOSThread()
	cmd := exec.Command(subject[0], subject[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		return sight{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return sight{}, err
	}
	if err := cmd.Start(); err != nil {
		return sight{}, fmt.Errorf("start a process to trace: %w", err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	tid, err := readThread(out)
	if err != nil {
		return sight{}, fmt.Errorf("start a process to trace: %w", err)
	}
	if errno := seize(tid); errno != 0 {
		return sight{}, fmt.Errorf("trace a child: %w", errno)
	}
	in.Close()
	return watch(tid), nil
}

func readThread(r io.Reader) (int, error) {
	var line [16]byte
	n, err := r.Read(line[:])
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(line[:n])))
}

func seize(tid int) unix.Errno {
	errno := ptrace.Seize(tid, ptrace.Options)
	if errno == unix.EIO {
		errno = ptrace.Seize(tid, ptrace.OptionsBeforeSeccomp)
	}
	if errno != 0 {
		return errno
	}
	return ptrace.Interrupt(tid)
}

// watch goes from stop to stop. The first one is outside of a call, so that entries are the odd ones of the syscall-stops.
func watch(tid int) (s sight) {
	stops := 0
	for {
		stop, errno := ptrace.WaitFor(tid)
		if errno != 0 || !stop.Alive() {
			return s
		}
		signal := 0
		switch stop.Reason {
		case ptrace.SyscallStop:
			stops++
			s.info = ptrace.HasInfo(tid)
		case ptrace.SeccompStop:
			s.seccomp, s.afterEntry = true, stops%2 == 1
		case ptrace.SignalStop:
			signal = stop.Signal
		}
		ptrace.Resume(tid, true, signal)
	}
}

// Subject is the process that is traced: it says which thread it is, waits to be traced, and makes one call that its
// filter traps.
func Subject(stdin io.Reader, stdout io.Writer) error {
	runtime.LockOSThread()
	fmt.Fprintln(stdout, unix.Gettid())
	io.Copy(io.Discard, stdin)
	if err := seccomp.NoNewPrivs(); err != nil {
		return err
	}
	err := seccomp.Install([]unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_GETPPID},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_TRACE},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}, 0)
	unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	return err
}
