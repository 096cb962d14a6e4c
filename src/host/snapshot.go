package host

import (
	"cmp"
	"slices"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/record"
)

// Running is a process that was found running: by its number in a pid namespace, as a tracer there names it.
type Running struct {
	NSID   uint64 // inode of the pid namespace
	Traced bool   // by one of our tracers
	Exec   *event.Event
}

// Snapshot finds the processes that our tracers trace, and their ancestors, which come before them.
func Snapshot(mount string, names record.Names) []Running {
	proc := procfs.Reader{Mount: mount}
	here, describe := proc.PIDNamespace(), NewDescriber(mount, names)
	var list []Running
	for pid, traced := range tracedAndAbove(mount, &proc) {
		e := describe.Describe(pid)
		if e == nil {
			continue
		}
		r := Running{NSID: here, Traced: traced, Exec: e}
		if ns := proc.NamespaceOf(pid); ns != 0 && ns != here {
			if r.NSID = ns; !inNamespace(&proc, pid, e, ns) {
				continue
			}
		}
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Running) int {
		return cmp.Or(cmp.Compare(a.Exec.Time, b.Exec.Time), cmp.Compare(a.Exec.PID, b.Exec.PID))
	})
	return list
}

// tracedAndAbove gives numbers of processes, and whether each is traced itself.
func tracedAndAbove(mount string, proc *procfs.Reader) map[int]bool {
	tracers, found := NewTracers(mount), map[int]bool{}
	for _, pid := range procfs.Numbers(mount) {
		if !tracers.Trace(pid) {
			continue
		}
		found[pid] = true
		var s procfs.Status
		for at := pid; proc.Status(at, &s) == 0 && s.PPID > 0; at = s.PPID {
			if _, known := found[s.PPID]; known {
				break
			}
			found[s.PPID] = false // until it turns out to be traced, too
		}
	}
	return found
}

// inNamespace gives an event the numbers of an inner namespace, where a parent outside has none.
func inNamespace(proc *procfs.Reader, pid int, e *event.Event, ns uint64) bool {
	e.PID = proc.InnermostPID(pid)
	parent := int(e.PPID)
	if e.PPID = 0; proc.NamespaceOf(parent) == ns {
		e.PPID = proc.InnermostPID(parent)
	}
	return e.PID != 0
}
