package probe

import (
	"slices"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
)

// Tree holds the processes that run, by pid and pid namespace. It is not safe for concurrent use.
type Tree struct {
	live    map[key]*Process
	refused int      // processes since the tree is full
	valued  []string // names of the variables whose values are kept beside their names
}

type key struct {
	nsid uint64
	pid  uint32
}

// maxLive bounds the tree: pid_max of 64-bit kernels is larger, hosts have fewer. A full tree
// forgets.
const maxLive = 1 << 19

// maxDepth bounds a process's line of ancestors; longer lines lose their oldest.
const maxDepth = 200

// NewTree makes an empty tree.
func NewTree() *Tree { return &Tree{live: map[key]*Process{}} }

// Len is the number of processes.
func (t *Tree) Len() int { return len(t.live) }

// Each calls visit for every process, in no order.
func (t *Tree) Each(visit func(*Process)) {
	for _, p := range t.live {
		visit(p)
	}
}

// Find gives a process, nil when it is not known.
func (t *Tree) Find(nsid uint64, pid uint32) *Process { return t.live[key{nsid, pid}] }

// Take brings the tree up to an event and gives the process that did it: a placeholder when it is not known. Settle must
// follow.
func (t *Tree) Take(nsid uint64, e *event.Event) *Process {
	switch e.Kind {
	case event.Fork:
		return t.fork(nsid, e)
	case event.Exec:
		return t.exec(nsid, e)
	}
	p := t.find(nsid, e.PID)
	p.place(e)
	return p
}

func (t *Tree) isValued(name string) bool { return slices.Contains(t.valued, name) }

// Settle applies what an event changes of its process, after rules have been asked: they compare what a process becomes
// with what it was.
func (t *Tree) Settle(p *Process, e *event.Event) {
	switch e.Kind {
	case event.Exit:
		p.ExitTime = e.Time
		delete(t.live, key{p.NSID, e.PID})
	case event.SetUID, event.SetGID, event.Capset:
		if e.Retval >= 0 {
			p.change(e)
		}
	case event.SetFSUID, event.SetFSGID: // these return the former id, always
		p.change(e)
	}
}

func (t *Tree) find(nsid uint64, pid uint32) *Process {
	if p := t.live[key{nsid, pid}]; p != nil {
		return p
	}
	p := &Process{PID: pid, NSID: nsid, Program: unknownProgram}
	t.add(p)
	return p
}

func (t *Tree) add(p *Process) {
	k := key{p.NSID, p.PID}
	if len(t.live) >= maxLive && t.live[k] == nil {
		if t.refused++; t.refused%sweepEvery != 1 {
			return
		}
		t.sweep()
	}
	t.live[k] = p
}

// sweepEvery spreads the cost of looking through a full tree.
const sweepEvery = 4096

// sweep forgets the processes that nothing is known of: their end may never be reported. A tree that is full of others
// is emptied: tracers that have gone never tell the end of theirs, and what lives is known again by its next exec.
func (t *Tree) sweep() {
	for k, p := range t.live {
		if p.Program == unknownProgram {
			delete(t.live, k)
		}
	}
	if len(t.live) >= maxLive {
		clear(t.live)
	}
}

// lateness is how long after a child's exec the event of its fork may come; later it is another child with the same pid.
const lateness = 2 * uint64(time.Second)

// fork copies the parent. Of a child that has executed something already only the origin was missing.
func (t *Tree) fork(nsid uint64, e *event.Event) *Process {
	parent := t.find(nsid, e.PPID)
	if p := t.live[key{nsid, e.PID}]; p != nil && p.ForkTime == 0 && e.Time < p.ExecTime+lateness {
		p.PPID, p.ForkTime = e.PPID, e.Time
		if !parent.descends(p) {
			p.Parent = shorten(parent)
		}
		return p
	}
	p := &Process{PID: e.PID, PPID: e.PPID, NSID: nsid, Parent: shorten(parent), ForkTime: e.Time}
	p.inherit(parent)
	p.place(e)
	t.add(p)
	return p
}

// descends tells whether p is other or comes of it: who says so of both ways round must not close a circle.
func (p *Process) descends(other *Process) bool {
	for n := 0; p != nil && n <= maxDepth; p, n = p.Parent, n+1 {
		if p == other {
			return true
		}
	}
	return false
}

func (p *Process) inherit(parent *Process) {
	p.Program, p.Owner, p.Caps = parent.Program, parent.Owner, parent.Caps
	p.ContainerID, p.ContainerCreated, p.CGroupID = parent.ContainerID, parent.ContainerCreated, parent.CGroupID
}

// exec puts a new entry in the place of the old one. What ran before is its ancestor, unless it was only the copy of its
// parent that every fork is.
func (t *Tree) exec(nsid uint64, e *event.Event) *Process {
	old := t.live[key{nsid, e.PID}]
	p := &Process{PID: e.PID, PPID: e.PPID, NSID: nsid, Program: newProgram(e, t.isValued), ExecTime: e.Time, Executed: true}
	if old != nil {
		p.Owner, p.Caps, p.ForkTime, p.Variables = old.Owner, old.Caps, old.ForkTime, old.Variables
		p.ContainerID, p.ContainerCreated, p.CGroupID = old.ContainerID, old.ContainerCreated, old.CGroupID
		p.Parent = old.Parent
		if old.Executed && !e.Exec.FromProcFS {
			p.Parent = old
		}
		if p.PPID == 0 {
			p.PPID = old.PPID
		}
	}
	if p.Parent == nil && p.PPID != 0 {
		p.Parent = t.live[key{nsid, p.PPID}]
	}
	p.Parent = shorten(p.Parent)
	if c := e.Exec.Credentials; c != nil {
		p.Owner = Credentials{Credentials: *c, FSUID: c.EUID, FSGID: c.EGID, FSUser: c.EUser, FSGroup: c.EGroup}
	}
	p.place(e)
	t.add(p)
	return p
}

// shorten cuts a line of ancestors that has grown too long: each process that executes itself again adds one.
func shorten(p *Process) *Process {
	if depth(p) < maxDepth {
		return p
	}
	top := *p
	top.Parent = nil
	return &top
}

func depth(p *Process) int {
	n := 0
	for ; p != nil && n < maxDepth; p = p.Parent {
		n++
	}
	return n
}

func (p *Process) place(e *event.Event) {
	if e.ContainerID != "" {
		p.ContainerID = e.ContainerID
	}
	if e.CGroupID != "" {
		p.CGroupID = e.CGroupID
	}
}

// change applies a call that sets ids; -1 leaves one as it is.
func (p *Process) change(e *event.Event) {
	o, ids := &p.Owner, &e.IDs
	switch e.Kind {
	case event.SetUID:
		set(&o.UID, &o.User, ids.ID, ids.Name)
		effective, name := ids.Effective, ids.EffectiveName
		if effective == -1 && ids.ID != -1 {
			effective, name = ids.ID, ids.Name // setuid(2) alone sets both
		}
		set(&o.EUID, &o.EUser, effective, name)
		o.FSUID, o.FSUser = o.EUID, o.EUser
	case event.SetGID:
		set(&o.GID, &o.Group, ids.ID, ids.Name)
		effective, name := ids.Effective, ids.EffectiveName
		if effective == -1 && ids.ID != -1 {
			effective, name = ids.ID, ids.Name
		}
		set(&o.EGID, &o.EGroup, effective, name)
		o.FSGID, o.FSGroup = o.EGID, o.EGroup
	case event.SetFSUID:
		set(&o.FSUID, &o.FSUser, ids.ID, ids.Name)
	case event.SetFSGID:
		set(&o.FSGID, &o.FSGroup, ids.ID, ids.Name)
	case event.Capset:
		p.Caps = e.Caps
	}
}

func set(id *uint32, name *string, to int32, toName string) {
	if to != -1 {
		*id, *name = uint32(to), toName
	}
}
