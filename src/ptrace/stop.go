// Package ptrace is the only user of ptrace(2) and wait4(2): it says why a tracee stopped, what call it makes, and lets
// it go on; what to make of that is left to the tracer. Nothing here allocates, and nothing blocks but Wait.
package ptrace

import "golang.org/x/sys/unix"

// Reason says what a wait status means for a tracee that was seized.
type Reason uint8

// The reasons, with the words of ptrace(2).
const (
	Other       Reason = iota
	Ended              // exited: Code is the exit status
	Killed             // killed: Signal is the cause
	SyscallStop        // syscall-entry-stop or syscall-exit-stop, told apart by the tracer's own count
	SeccompStop        // PTRACE_EVENT_SECCOMP: after the entry stop from Linux 4.8 on, before it until then
	NewChild           // PTRACE_EVENT_FORK, _VFORK or _CLONE, in the parent
	Execed             // PTRACE_EVENT_EXEC: the new program is in place and has not run yet
	Exiting            // PTRACE_EVENT_EXIT
	GroupStop          // stopped with its whole thread group; continue with Listen
	Trapped            // first stop of a new tracee, an interrupt, or the end of a group stop
	SignalStop         // signal-delivery-stop: Signal is about to be delivered
)

// Stop is one change of state of one tracee.
type Stop struct {
	TID    int
	Reason Reason
	Signal int  // Killed, SignalStop, GroupStop
	Code   int  // Ended
	Core   bool // Killed: a core was dumped
}

// Alive tells whether the tracee stands still and waits to be restarted.
func (s Stop) Alive() bool { return s.Reason != Ended && s.Reason != Killed && s.Reason != Other }

// sysgood marks a syscall-stop under PTRACE_O_TRACESYSGOOD.
const sysgood = int(unix.SIGTRAP) | 0x80

// Classify reads a status of wait4(2) for a tracee seized with Options.
func Classify(tid int, status unix.WaitStatus) Stop {
	s := Stop{TID: tid}
	switch {
	case status.Exited():
		s.Reason, s.Code = Ended, status.ExitStatus()
	case status.Signaled():
		s.Reason, s.Signal, s.Core = Killed, int(status.Signal()), status.CoreDump()
	case status.Stopped():
		s.Signal = int(status.StopSignal())
		s.Reason = stopped(int(uint32(status)>>16), int(uint32(status)>>8&0xff))
	}
	return s
}

func stopped(event, signal int) Reason {
	switch event {
	case 0:
		if signal == sysgood {
			return SyscallStop
		}
		return SignalStop
	case unix.PTRACE_EVENT_SECCOMP:
		return SeccompStop
	case unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK, unix.PTRACE_EVENT_CLONE:
		return NewChild
	case unix.PTRACE_EVENT_EXEC:
		return Execed
	case unix.PTRACE_EVENT_EXIT:
		return Exiting
	case unix.PTRACE_EVENT_STOP:
		// Under PTRACE_SEIZE a group-stop reports the stopping signal here, everything else SIGTRAP.
		if signal == int(unix.SIGTRAP) {
			return Trapped
		}
		return GroupStop
	}
	// An event that was not asked for; restarting is all it wants.
	return Trapped
}
