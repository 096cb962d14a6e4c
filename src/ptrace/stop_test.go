package ptrace

import (
	"testing"

	"golang.org/x/sys/unix"
)

func stopStatus(signal unix.Signal, event int) unix.WaitStatus {
	return unix.WaitStatus(0x7f | uint32(signal)<<8 | uint32(event)<<16)
}

func TestClassify(t *testing.T) {
	for name, c := range map[string]struct {
		status unix.WaitStatus
		want   Stop
	}{
		"exit 3":            {unix.WaitStatus(3 << 8), Stop{TID: 7, Reason: Ended, Code: 3}},
		"killed":            {unix.WaitStatus(unix.SIGKILL), Stop{TID: 7, Reason: Killed, Signal: int(unix.SIGKILL)}},
		"core dumped":       {unix.WaitStatus(unix.SIGSEGV) | 0x80, Stop{TID: 7, Reason: Killed, Signal: int(unix.SIGSEGV), Core: true}},
		"syscall":           {stopStatus(unix.SIGTRAP|0x80, 0), Stop{TID: 7, Reason: SyscallStop, Signal: sysgood}},
		"breakpoint":        {stopStatus(unix.SIGTRAP, 0), Stop{TID: 7, Reason: SignalStop, Signal: int(unix.SIGTRAP)}},
		"signal":            {stopStatus(unix.SIGTERM, 0), Stop{TID: 7, Reason: SignalStop, Signal: int(unix.SIGTERM)}},
		"seccomp":           {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_SECCOMP), Stop{TID: 7, Reason: SeccompStop, Signal: int(unix.SIGTRAP)}},
		"fork":              {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_FORK), Stop{TID: 7, Reason: NewChild, Signal: int(unix.SIGTRAP)}},
		"vfork":             {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_VFORK), Stop{TID: 7, Reason: NewChild, Signal: int(unix.SIGTRAP)}},
		"clone":             {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_CLONE), Stop{TID: 7, Reason: NewChild, Signal: int(unix.SIGTRAP)}},
		"exec":              {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_EXEC), Stop{TID: 7, Reason: Execed, Signal: int(unix.SIGTRAP)}},
		"exiting":           {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_EXIT), Stop{TID: 7, Reason: Exiting, Signal: int(unix.SIGTRAP)}},
		"group stop":        {stopStatus(unix.SIGTSTP, unix.PTRACE_EVENT_STOP), Stop{TID: 7, Reason: GroupStop, Signal: int(unix.SIGTSTP)}},
		"interrupt":         {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_STOP), Stop{TID: 7, Reason: Trapped, Signal: int(unix.SIGTRAP)}},
		"unasked event":     {stopStatus(unix.SIGTRAP, unix.PTRACE_EVENT_VFORK_DONE), Stop{TID: 7, Reason: Trapped, Signal: int(unix.SIGTRAP)}},
		"continued, no ask": {unix.WaitStatus(0xffff), Stop{TID: 7, Reason: Other}},
	} {
		if got := Classify(7, c.status); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestOnlyStoppedTraceesAreAlive(t *testing.T) {
	for reason := Other; reason <= SignalStop; reason++ {
		want := reason != Other && reason != Ended && reason != Killed
		if (Stop{Reason: reason}).Alive() != want {
			t.Errorf("reason %d: alive is %v", reason, !want)
		}
	}
}

func TestKernelsOwnRestartCodesAreNoResults(t *testing.T) {
	for result, want := range map[int64]bool{0: false, -2: false, -511: false, -512: true, -513: true, -514: true, -516: true, -517: false} {
		if restarts(result) != want {
			t.Errorf("restarts(%d) = %v", result, !want)
		}
	}
}
