package tracer

import (
	"fmt"
	"testing"

	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// fake plays the kernel's side: one task that makes calls, with the stops in the order of the version played.
type fake struct {
	t        *testing.T
	filtered bool
	order    shared.Order
	info     bool // PTRACE_GET_SYSCALL_INFO, Linux 5.3

	calls []played // still to be made
	stage int      // of the first call
	until bool     // the last restart was PTRACE_SYSCALL
	event int      // that the task stands in by now
	trace []string // what the loop was told
	stops int
}

type played struct {
	number  uint32
	trapped bool
	result  int64
}

const (
	fakeTID    = 100
	sysOpenat  = 257
	sysSetFSID = 122
	sysGetpid  = 39
)

// stages of one call, in the order of the kernel that is played.
func (f *fake) stages(c played) []ptrace.Reason {
	seccomp := f.filtered && c.trapped
	entry, exit := ptrace.SyscallStop, ptrace.SyscallStop
	switch {
	case !seccomp:
		return []ptrace.Reason{entry, exit}
	case f.order == shared.SeccompFirst:
		return []ptrace.Reason{ptrace.SeccompStop, entry, exit}
	}
	return []ptrace.Reason{entry, ptrace.SeccompStop, exit}
}

// Wait goes on to the next stop that the last restart lets happen.
func (f *fake) Wait() (ptrace.Stop, unix.Errno) {
	for len(f.calls) > 0 {
		stages := f.stages(f.calls[0])
		for f.stage++; f.stage <= len(stages); f.stage++ {
			if reason := stages[f.stage-1]; reason == ptrace.SeccompStop || f.until {
				f.stops++
				return ptrace.Stop{TID: fakeTID, Reason: reason}, 0
			}
		}
		f.calls, f.stage = f.calls[1:], 0
	}
	return ptrace.Stop{TID: fakeTID, Reason: ptrace.Ended}, 0
}

func (f *fake) Call(_ int, atSeccomp bool, c *ptrace.Call) unix.Errno {
	call := f.calls[0]
	stages := f.stages(call)
	atExit := f.stage == len(stages)
	*c = ptrace.Call{ABI: syscalls.AMD64, Number: call.number, Result: -int64(unix.ENOSYS)}
	if atExit {
		c.Result = call.result
	}
	switch {
	case atSeccomp:
		c.Phase = ptrace.Entry
	case f.info && atExit:
		c.Phase = ptrace.Exit
	case f.info:
		c.Phase = ptrace.Entry
	}
	return 0
}

func (f *fake) Resume(_ int, untilSyscall bool, _ int) unix.Errno { f.until = untilSyscall; return 0 }

func (f *fake) Poll(int) (ptrace.Stop, unix.Errno)               { return ptrace.Stop{}, 0 }
func (f *fake) Seize(int, int) unix.Errno                        { return 0 }
func (f *fake) Interrupt(int) unix.Errno                         { return 0 }
func (f *fake) Listen(int) unix.Errno                            { return 0 }
func (f *fake) Detach(int, int) unix.Errno                       { return 0 }
func (f *fake) Message(int) (uint64, unix.Errno)                 { return 0, 0 }
func (f *fake) Sender(int) int                                   { return 0 }
func (f *fake) Continue(int)                                     {}
func (f *fake) Fresh(int) bool                                   { return false }
func (f *fake) Interrupted(int, syscalls.ABI, *ptrace.Call) bool { return false }
func (f *fake) Parents(int) (int, int)                           { return fakeTID, 1 }
func (f *fake) HasTask(int, int) bool                            { return false }
func (f *fake) Zombie(int) bool                                  { return false }
func (f *fake) Event(int) int                                    { return f.event }
func (f *fake) Forked(int, int)                                  {}
func (f *fake) Execed(*shared.Task)                              { f.trace = append(f.trace, "execed") }
func (f *fake) Ended(int, ptrace.Stop)                           { f.trace = append(f.trace, "ended") }
func (f *fake) note(what string, row *syscalls.Row, result int64) {
	f.trace = append(f.trace, fmt.Sprint(what, " ", row.Name, " ", result))
}

// Entered wants the exit of openat and not that of others.
func (f *fake) Entered(_ *shared.Task, row *syscalls.Row, _ *[6]uint64) bool {
	f.note("entered", row, 0)
	return row.Name == "openat"
}

func (f *fake) Returned(_ *shared.Task, row *syscalls.Row, _ *[6]uint64, result int64) {
	if row.Name == "openat" {
		f.note("returned", row, result)
	}
}

func memory(t testing.TB) *shared.Memory {
	t.Helper()
	file, err := shared.Create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	m, err := shared.Map(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
