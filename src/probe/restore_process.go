package probe

import (
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
)

// tree gives back the process of a detection with its ancestors.
func (r *restorer) tree(d *Detection) *Process {
	if d.Process == nil {
		return &Process{Program: &Program{}, Executed: true}
	}
	p := r.process("process", d.Process)
	if d.Container != nil {
		p.ContainerID, p.ContainerCreated = d.Container.ID, r.time("container.created_at", d.Container.CreatedAt)
	}
	if d.CGroup != nil {
		p.CGroupID = d.CGroup.ID
	}
	line := d.Process.Ancestors
	if len(line) == 0 && d.Process.Parent != nil {
		line = []*processDoc{d.Process.Parent}
	}
	for child, i := p, 0; i < len(line) && i < maxDepth; i++ {
		if line[i] == nil {
			continue
		}
		child.Parent = r.process("process.ancestors", line[i])
		child = child.Parent
	}
	if d.Process.Truncated {
		r.lost = append(r.lost, "process.ancestors (the oldest)")
	}
	return p
}

func (r *restorer) process(key string, doc *processDoc) *Process {
	p := &Process{
		PID: doc.PID, PPID: doc.PPID, Executed: !doc.IsThread,
		ForkTime: r.time(key+".fork_time", doc.ForkTime), ExecTime: r.time(key+".exec_time", doc.ExecTime),
		ExitTime: r.time(key+".exit_time", doc.ExitTime),
		Program:  r.program(key, doc),
		Owner: Credentials{Credentials: event.Credentials{
			UID: uint32(doc.UID), EUID: uint32(doc.UID), GID: uint32(doc.GID), EGID: uint32(doc.GID),
			User: doc.User, EUser: doc.User, Group: doc.Group, EGroup: doc.Group,
		}, FSUID: uint32(doc.UID), FSGID: uint32(doc.GID), FSUser: doc.User, FSGroup: doc.Group},
	}
	if c := doc.Credentials; c != nil {
		p.Owner = Credentials{Credentials: event.Credentials{
			UID: uint32(c.UID), EUID: uint32(c.EUID), GID: uint32(c.GID), EGID: uint32(c.EGID),
			User: c.User, EUser: c.EUser, Group: c.Group, EGroup: c.EGroup,
		}, FSUID: uint32(c.FSUID), FSGID: uint32(c.FSGID), FSUser: c.FSUser, FSGroup: c.FSGroup}
		p.Caps = event.Caps{Effective: capabilityBits(r, c.CapEffective), Permitted: capabilityBits(r, c.CapPermitted)}
	}
	if doc.Container != nil {
		p.ContainerID, p.ContainerCreated = doc.Container.ID, r.time(key+".container.created_at", doc.Container.CreatedAt)
	}
	if doc.CGroup != nil {
		p.CGroupID = doc.CGroup.ID
	}
	if len(doc.Variables) > 0 {
		r.lose("variables of processes")
	}
	return p
}

func (r *restorer) program(key string, doc *processDoc) *Program {
	e := &event.Event{Exec: event.ExecInfo{
		TTY: doc.TTY, Envs: slices.Clone(doc.Envs), ArgsTruncated: doc.ArgsTruncated, EnvsTruncated: doc.EnvsTruncated,
	}}
	if doc.Executable != nil {
		e.File = r.file(key+".executable", doc.Executable)
	}
	if doc.Argv0 != "" || len(doc.Args) > 0 {
		e.Exec.Args = append([]string{doc.Argv0}, doc.Args...)
	}
	if slices.ContainsFunc(doc.Args, func(arg string) bool { return strings.HasSuffix(arg, hidden) }) {
		r.lose(key + ".args (secrets are blanked out)")
	}
	p := newProgram(e, func(string) bool { return true }) // those without have been left out
	if doc.Comm != "" {
		p.Comm = doc.Comm
	}
	return p
}

func (r *restorer) lose(what string) {
	if !slices.Contains(r.lost, what) {
		r.lost = append(r.lost, what)
	}
}
