package host

import (
	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/record"
)

// Describer makes events of processes that are found running. It belongs to one goroutine.
type Describer struct {
	names   record.Names
	proc    procfs.Reader
	program procfs.ProgramReader
	text    record.Program
}

// NewDescriber reads the proc file system at a mount point.
func NewDescriber(proc string, names record.Names) *Describer {
	return &Describer{names: names, proc: procfs.Reader{Mount: proc}}
}

// Describe gives the exec of what a process runs now, with the time of the process's start in nanoseconds since the epoch.
// It is nil for a kernel thread, which has no executable, and for a process that went before it was read.
func (d *Describer) Describe(pid int) *event.Event {
	identity, started := d.proc.Identity(pid), d.proc.Started(pid)
	if identity == 0 || started == 0 {
		return nil
	}
	facts := new(record.Facts)
	facts.Reset(event.Exec, uint32(pid))
	if d.proc.Running(pid, true, facts) != 0 {
		return nil
	}
	facts.Time = started
	facts.Num[record.NumExecFlags] |= record.ExecFromProcFS
	d.program.Read(&d.proc, pid, &d.text)
	e := record.Event(facts, &d.text, d.names)
	place := PlaceOf(d.proc.Mount, pid)
	e.ContainerID, e.CGroupID = place.ContainerID, place.CGroupID
	if again := d.proc.Identity(pid); again != 0 && again != identity {
		return nil // parts of two processes
	}
	return e
}
