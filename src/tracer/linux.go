package tracer

import (
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// linux is the kernel that the loop meets outside tests.
type linux struct {
	calls  ptrace.Reader
	proc   procfs.Reader
	status procfs.Status
}

func (*linux) Wait() (ptrace.Stop, unix.Errno)        { return ptrace.Wait() }
func (*linux) Poll(tid int) (ptrace.Stop, unix.Errno) { return ptrace.Poll(tid) }
func (*linux) Seize(tid, options int) unix.Errno      { return ptrace.Seize(tid, options) }
func (*linux) Interrupt(tid int) unix.Errno           { return ptrace.Interrupt(tid) }
func (*linux) Listen(tid int) unix.Errno              { return ptrace.Listen(tid) }
func (*linux) Detach(tid, signal int) unix.Errno      { return ptrace.Detach(tid, signal) }
func (*linux) Message(tid int) (uint64, unix.Errno)   { return ptrace.Message(tid) }
func (*linux) Sender(tid int) int                     { return ptrace.Sender(tid) }
func (*linux) Event(tid int) int                      { return ptrace.Event(tid) }
func (*linux) Zombie(pid int) bool                    { return ptrace.Zombie(pid) }

func (*linux) Resume(tid int, untilSyscall bool, signal int) unix.Errno {
	return ptrace.Resume(tid, untilSyscall, signal)
}

// Continue ends a group-stop that the guardian began.
func (*linux) Continue(pid int) {
	unix.RawSyscall(unix.SYS_KILL, uintptr(pid), uintptr(unix.SIGCONT), 0)
}

func (k *linux) Call(tid int, atSeccomp bool, c *ptrace.Call) unix.Errno {
	return k.calls.Read(tid, atSeccomp, c)
}

func (k *linux) Interrupted(tid int, abi syscalls.ABI, c *ptrace.Call) bool {
	return k.calls.Interrupted(tid, abi, c)
}

func (k *linux) Fresh(tid int) bool { return k.calls.Fresh(tid) }

func (k *linux) Parents(tid int) (tgid, ppid int) {
	if k.proc.Status(tid, &k.status) != 0 {
		return 0, 0
	}
	return k.status.TGID, k.status.PPID
}

func (k *linux) HasTask(pid, tid int) bool { return k.proc.HasTask(pid, tid) }
