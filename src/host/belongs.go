package host

import (
	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// Processes tells whose processes are. It belongs to one goroutine.
type Processes struct {
	mount string
	proc  procfs.Reader
}

// NewProcesses reads the proc file system at a mount point.
func NewProcesses(mount string) *Processes {
	return &Processes{mount: mount, proc: procfs.Reader{Mount: mount}}
}

// Namespace is the pid namespace of which the mount point shows the processes.
func (p *Processes) Namespace() uint64 { return p.proc.PIDNamespace() }

// Belongs tells whether a process is a user's, and whether it is there at all. It is his by its real or effective id; and
// where he traces it, for what becomes root by a hole in the kernel is then still his to tell of.
func (p *Processes) Belongs(pid int, uid uint32) (own, alive bool) {
	var s, tracer procfs.Status
	switch p.proc.Status(pid, &s) {
	case 0:
		own = s.UID == uid || s.EUID == uid ||
			s.TracerPID > 0 && p.proc.Status(s.TracerPID, &tracer) == 0 && tracer.UID == uid
		return own, true
	case unix.ENOENT, unix.ESRCH:
		return false, false
	}
	return false, true
}

// Member finds a process of a user in a pid namespace; 0 when there is none.
func (p *Processes) Member(nsid uint64, uid uint32) int {
	for _, pid := range procfs.Numbers(p.mount) {
		if p.proc.NamespaceOf(pid) != nsid {
			continue
		}
		if own, _ := p.Belongs(pid, uid); own {
			return pid
		}
	}
	return 0
}

// Place is where a process lives.
func (p *Processes) Place(pid int) Place { return PlaceOf(p.mount, pid) }
