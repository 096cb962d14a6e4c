package probe

import (
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"golang.org/x/sys/unix"
)

// writers add what a kind of event has beside its process.
var writers = map[event.Kind]func(*Detection, *Context){
	event.Exec: func(d *Detection, c *Context) {
		d.File = fileOf(&c.Process.Program.File)
		d.call("exec", &syscallDoc{Path: c.Event.File.Path})
	},
	event.Exit: func(d *Detection, c *Context) {
		d.File = fileOf(&c.Process.Program.File)
		d.Exit = &exitDoc{Cause: nameIn(exitCauses, int64(c.Event.Exit.Cause)), Code: c.Event.Exit.Code}
	},
	event.Open: func(d *Detection, c *Context) {
		e := c.Event
		d.File = fileOf(&e.File)
		d.File.Flags = openFlagNames(e.Flags)
		if e.Flags&unix.O_CREAT != 0 {
			d.File.Destination = &fileDoc{Mode: e.Mode}
		}
		d.call("open", &syscallDoc{Path: e.File.Path, Flags: number(int64(e.Flags)), Mode: number(int64(e.Mode))})
	},
	event.Mkdir: func(d *Detection, c *Context) { d.withMode("mkdir", c.Event) },
	event.Chmod: func(d *Detection, c *Context) { d.withMode("chmod", c.Event) },
	event.Chown: func(d *Detection, c *Context) {
		o := c.Event.Owner
		d.File = fileOf(&c.Event.File)
		d.File.Destination = &fileDoc{UID: int64(o.UID), GID: int64(o.GID), User: o.User, Group: o.Group}
		d.call("chown", &syscallDoc{Path: c.Event.File.Path, UID: number(int64(o.UID)), GID: number(int64(o.GID))})
	},
	event.Utimes: func(d *Detection, c *Context) {
		d.File = fileOf(&c.Event.File)
		d.File.Destination = &fileDoc{AccessTime: date(c.Event.Times.Access), ModificationTime: date(c.Event.Times.Modification)}
		d.call("utimes", &syscallDoc{Path: c.Event.File.Path})
	},
	event.Unlink: func(d *Detection, c *Context) {
		d.onFile("unlink", c.Event)
		d.Syscall["unlink"].Flags = number(int64(c.Event.Flags))
	},
	event.Rmdir:      func(d *Detection, c *Context) { d.onFile("rmdir", c.Event) },
	event.Chdir:      func(d *Detection, c *Context) { d.onFile("chdir", c.Event) },
	event.Rename:     func(d *Detection, c *Context) { d.twoFiles("rename", c.Event) },
	event.Link:       func(d *Detection, c *Context) { d.twoFiles("link", c.Event) },
	event.SetUID:     setIDs,
	event.SetGID:     setIDs,
	event.SetFSUID:   setIDs,
	event.SetFSGID:   setIDs,
	event.LoadModule: loadModule,
	event.Capset: func(d *Detection, c *Context) {
		d.Process.Credentials.Destination = &setIDDoc{
			CapEffective: capabilityNames(c.Event.Caps.Effective), CapPermitted: capabilityNames(c.Event.Caps.Permitted),
		}
	},
	event.UnloadModule: func(d *Detection, c *Context) { d.Module = &moduleDoc{Name: c.Event.Module.Name} },
	event.Mount: func(d *Detection, c *Context) {
		m := c.Event.Mount
		d.Mount = &mountDoc{FSType: m.FSType, Mountpoint: m.Target, Source: m.Source}
		d.call("mount", &syscallDoc{Path: m.Source, Destination: m.Target, FSType: m.FSType})
	},
	event.Connect: func(d *Detection, c *Context) { d.Connect = socketOf(&c.Event.Sock, true, true) },
	event.Accept:  func(d *Detection, c *Context) { d.Accept = socketOf(&c.Event.Sock, true, false) },
	event.Bind:    func(d *Detection, c *Context) { d.Bind = socketOf(&c.Event.Sock, false, true) },
	event.Setsockopt: func(d *Detection, c *Context) {
		o := c.Event.Sockopt
		d.Sockopt = &sockoptDoc{
			SocketType: nameIn(socketTypes, int64(o.Type)), SocketFamily: nameIn(families, int64(o.Family)),
			SocketProtocol: nameIn(protocols, int64(o.Protocol)), Level: nameIn(levels, int64(o.Level)),
			OptName: nameIn(socketOptions, int64(o.Name)), FilterLen: o.FilterLen, FilterCut: filterCut(&o),
			Filter: instructions(o.Filter), FilterHash: filterHash(o.Filter),
		}
	},
	event.Prctl: func(d *Detection, c *Context) {
		d.Prctl = &prctlDoc{Option: nameIn(prctlOptions, int64(c.Event.Prctl.Option)), NewName: c.Event.Prctl.NewName}
	},
	event.Socket: func(d *Detection, c *Context) {
		s := c.Event.Socket
		d.Socket = &newSocketDoc{
			Domain: nameIn(families, int64(s.Domain)), Type: nameIn(socketTypes, int64(s.Type)), Protocol: nameIn(protocols, int64(s.Protocol)),
		}
	},
	event.Ptrace: func(d *Detection, c *Context) {
		d.Ptrace = &ptraceDoc{Request: nameIn(ptraceRequests, c.Event.Ptrace.Request), Tracee: &processDoc{PID: c.Event.Ptrace.PID}}
	},
	event.Signal: func(d *Detection, c *Context) {
		s := c.Event.Signal
		d.Signal = &signalDoc{Type: unix.SignalName(unix.Signal(s.Signal)), PID: s.PID}
	},
}

func number(n int64) *int64 { return &n }

func (d *Detection) call(name string, doc *syscallDoc) { d.Syscall = map[string]*syscallDoc{name: doc} }

func (d *Detection) onFile(name string, e *event.Event) {
	d.File = fileOf(&e.File)
	d.call(name, &syscallDoc{Path: e.File.Path})
}

func (d *Detection) withMode(name string, e *event.Event) {
	d.onFile(name, e)
	d.File.Destination = &fileDoc{Mode: e.Mode}
	d.Syscall[name].Mode = number(int64(e.Mode))
}

func (d *Detection) twoFiles(name string, e *event.Event) {
	d.onFile(name, e)
	d.File.Destination = fileOf(&e.Destination)
	d.Syscall[name].Destination = e.Destination.Path
}

func setIDs(d *Detection, c *Context) {
	to, ids := &setIDDoc{}, c.Event.IDs
	switch c.Event.Kind {
	case event.SetUID:
		to.UID, to.User, to.EUID, to.EUser = number(int64(ids.ID)), ids.Name, number(int64(ids.Effective)), ids.EffectiveName
	case event.SetGID:
		to.GID, to.Group, to.EGID, to.EGroup = number(int64(ids.ID)), ids.Name, number(int64(ids.Effective)), ids.EffectiveName
	case event.SetFSUID:
		to.FSUID, to.FSUser = number(int64(ids.ID)), ids.Name
	case event.SetFSGID:
		to.FSGID, to.FSGroup = number(int64(ids.ID)), ids.Name
	}
	d.Process.Credentials.Destination = to
}

func loadModule(d *Detection, c *Context) {
	m := c.Event.Module
	d.Module = &moduleDoc{Name: m.Name, LoadedFromMemory: m.FromMemory, Argv: strings.Fields(m.Args)}
	if !m.FromMemory {
		d.File = fileOf(&c.Event.File)
	}
}

func socketOf(s *event.Sock, hostnames, protocol bool) *socketDoc {
	doc := &socketDoc{Addr: addressDoc{Family: nameIn(families, int64(s.Family)), Port: s.Port}}
	if s.IP.IsValid() {
		doc.Addr.IP = s.IP.String()
	}
	if hostnames {
		doc.Hostnames = &[]string{}
	}
	if protocol {
		name := nameIn(protocols, int64(s.Protocol))
		doc.Protocol = &name
	}
	return doc
}
