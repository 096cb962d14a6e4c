package wire

import "github.com/ebpfless/ebpfless/src/event"

func fromMessage(m *event.Message) *message {
	out := &message{Seq: m.Seq, Dropped: m.Dropped}
	switch {
	case m.Hello != nil:
		out.Type, out.Hello = typeHello, fromHello(m.Hello)
	case m.Event != nil:
		out.Type, out.Syscall = typeSyscall, fromEvent(m.Event)
	case m.Goodbye:
		out.Type = typeGoodbye
	}
	return out
}

func fromHello(h *event.Hello) *hello {
	c := h.Container
	return &hello{
		NSID: num64(h.NSID), EntrypointArgs: h.Args, Mode: string(h.Mode), Accepts: h.Accepts,
		ContainerContext: &container{
			ID: c.ID, CreatedAt: num64(c.CreatedAt), Name: c.Name, ImageShortName: c.Image, ImageTag: c.Tag,
		},
	}
}

func fromEvent(e *event.Event) *syscall {
	s := &syscall{
		Type: types[e.Kind], PID: num32(e.PID), Timestamp: num64(e.Time), Retval: int64n(e.Retval),
		ContainerID: e.ContainerID, CGroupID: e.CGroupID,
	}
	if e.Span != (event.Span{}) {
		s.SpanContext = &span{SpanID: num64(e.Span.ID), TraceID: traceID{Lo: e.Span.TraceLo, Hi: e.Span.TraceHi}}
	}
	if fill := encoders[e.Kind]; fill != nil {
		fill(s, e)
	}
	return s
}

var encoders = map[event.Kind]func(*syscall, *event.Event){
	event.Exec: func(s *syscall, e *event.Event) { s.Exec = fromExec(e) },
	event.Fork: func(s *syscall, e *event.Event) { s.Fork = &fork{PPID: num32(e.PPID)} },
	event.Open: func(s *syscall, e *event.Event) { s.Open = fromOpen(e) },
	event.Exit: func(s *syscall, e *event.Event) {
		s.Exit = &exit{Code: num32(e.Exit.Code), Cause: num32(e.Exit.Cause)}
	},
	event.SetUID: func(s *syscall, e *event.Event) {
		s.SetUID = &setUID{UID: int32n(e.IDs.ID), User: e.IDs.Name, EUID: int32n(e.IDs.Effective), EUser: e.IDs.EffectiveName}
	},
	event.SetGID: func(s *syscall, e *event.Event) {
		s.SetGID = &setGID{GID: int32n(e.IDs.ID), Group: e.IDs.Name, EGID: int32n(e.IDs.Effective), EGroup: e.IDs.EffectiveName}
	},
	event.SetFSUID: func(s *syscall, e *event.Event) {
		s.SetFSUID = &setFSUID{FSUID: int32n(e.IDs.ID), FSUser: e.IDs.Name}
	},
	event.SetFSGID: func(s *syscall, e *event.Event) {
		s.SetFSGID = &setFSGID{FSGID: int32n(e.IDs.ID), FSGroup: e.IDs.Name}
	},
	event.Capset: func(s *syscall, e *event.Event) {
		s.Capset = &capset{Effective: num64(e.Caps.Effective), Permitted: num64(e.Caps.Permitted)}
	},
	event.Unlink: func(s *syscall, e *event.Event) { s.Unlink = &onFile{fromFile(&e.File)} },
	event.Rmdir:  func(s *syscall, e *event.Event) { s.Rmdir = &onFile{fromFile(&e.File)} },
	event.Rename: func(s *syscall, e *event.Event) {
		s.Rename = &rename{OldFile: fromFile(&e.File), NewFile: fromFile(&e.Destination)}
	},
	event.Mkdir: func(s *syscall, e *event.Event) { s.Mkdir = &mkdir{Dir: fromFile(&e.File), Mode: num32(e.Mode)} },
	event.Utimes: func(s *syscall, e *event.Event) {
		s.Utimes = &utimes{File: fromFile(&e.File), ATime: num64(e.Times.Access), MTime: num64(e.Times.Modification)}
	},
	event.Link:  func(s *syscall, e *event.Event) { s.Link = fromLink(e) },
	event.Chmod: func(s *syscall, e *event.Event) { s.Chmod = &chmod{File: fromFile(&e.File), Mode: num32(e.Mode)} },
	event.Chown: func(s *syscall, e *event.Event) {
		o := e.Owner
		s.Chown = &chown{File: fromFile(&e.File), UID: int32n(o.UID), User: o.User, GID: int32n(o.GID), Group: o.Group}
	},
	event.LoadModule: func(s *syscall, e *event.Event) {
		m := e.Module
		s.LoadModule = &loadModule{File: fromFile(&e.File), Name: m.Name, Args: m.Args, LoadedFromMemory: m.FromMemory}
	},
	event.UnloadModule: func(s *syscall, e *event.Event) { s.UnloadModule = &unloadModule{Name: e.Module.Name} },
	event.Chdir:        func(s *syscall, e *event.Event) { s.Chdir = &chdir{fromFile(&e.File)} },
	event.Mount: func(s *syscall, e *event.Event) {
		s.Mount = &mount{Source: e.Mount.Source, Target: e.Mount.Target, FSType: e.Mount.FSType}
	},
	event.Umount:  func(s *syscall, e *event.Event) { s.Umount = &umount{Path: e.Mount.Target} },
	event.Connect: func(s *syscall, e *event.Event) { s.Connect = fromSock(&e.Sock) },
	event.Bind:    func(s *syscall, e *event.Event) { s.Bind = fromSock(&e.Sock) },
	event.Accept: func(s *syscall, e *event.Event) {
		s.Accept = &accept{Addr: address(e.Sock.IP), AddressFamily: num16(e.Sock.Family), Port: num16(e.Sock.Port)}
	},
	event.Setsockopt: func(s *syscall, e *event.Event) {
		o := e.Sockopt
		s.Setsockopt = &setsockopt{
			SocketFamily: num16(o.Family), SocketProtocol: num16(o.Protocol), SocketType: num16(o.Type),
			Level: num32(o.Level), OptName: num32(o.Name), Filter: o.Filter, FilterLen: num16(o.FilterLen),
		}
	},
	event.Setrlimit: func(s *syscall, e *event.Event) {
		r := e.Rlimit
		s.Setrlimit = &setrlimit{Resource: plain(r.Resource), CurLimit: num64(r.Cur), MaxLimit: num64(r.Max), Pid: num32(r.PID)}
	},
	event.Prctl: func(s *syscall, e *event.Event) {
		s.Prctl = &prctl{Option: plain(e.Prctl.Option), Arg2: num64(e.Prctl.Arg2), NewName: e.Prctl.NewName}
	},
	event.Socket: func(s *syscall, e *event.Event) {
		s.Socket = &socket{Domain: plain(e.Socket.Domain), Type: plain(e.Socket.Type), Protocol: plain(e.Socket.Protocol)}
	},
	event.Ptrace: func(s *syscall, e *event.Event) {
		s.Ptrace = &ptrace{Request: int64n(e.Ptrace.Request), PID: num32(e.Ptrace.PID)}
	},
	event.Signal: func(s *syscall, e *event.Event) {
		s.Signal = &signal{Signal: int32n(e.Signal.Signal), PID: int32n(e.Signal.PID)}
	},
}

func fromFile(f *event.File) file {
	out := file{
		Filename: f.Path, CTime: num64(f.CTime), MTime: num64(f.MTime), Mode: num32(f.Mode), Inode: num64(f.Inode),
	}
	if f.HasOwner {
		out.Credentials = &credentials{UID: num32(f.UID), User: f.User, GID: num32(f.GID), Group: f.Group}
	}
	return out
}

func fromExec(e *event.Event) *exec {
	f := fromFile(&e.File)
	x := &e.Exec
	out := &exec{
		File: &f, Args: x.Args, ArgsTruncated: x.ArgsTruncated, Envs: x.Envs, EnvsTruncated: x.EnvsTruncated,
		TTY: x.TTY, PPID: num32(e.PPID), FromProcFS: x.FromProcFS,
	}
	if c := x.Credentials; c != nil {
		out.Credentials = &credentials{
			UID: num32(c.UID), User: c.User, EUID: num32(c.EUID), EUser: c.EUser,
			GID: num32(c.GID), Group: c.Group, EGID: num32(c.EGID), EGroup: c.EGroup,
		}
	}
	return out
}

// fromOpen has one field for two modes: that of the file as it is, or, where that is not known, the one asked for.
func fromOpen(e *event.Event) *open {
	f := fromFile(&e.File)
	if f.Mode == 0 {
		f.Mode = num32(e.Mode)
	}
	return &open{
		Filename: f.Filename, CTime: f.CTime, MTime: f.MTime, Mode: f.Mode, Inode: f.Inode,
		Credentials: f.Credentials, Flags: num32(e.Flags),
	}
}

func fromLink(e *event.Event) *link {
	out := &link{Target: fromFile(&e.File), Link: fromFile(&e.Destination), Type: 1}
	if e.Soft {
		out.Type = 0
	}
	return out
}

func fromSock(s *event.Sock) *sock {
	return &sock{Addr: address(s.IP), AddressFamily: num16(s.Family), Port: num16(s.Port), Protocol: num16(s.Protocol)}
}

func fromAnswer(a *event.Answer) *answer {
	out := &answer{Ack: a.Ack}
	if a.Interest != nil {
		out.Interest = &interest{OpenFlags: num32(a.Interest.OpenFlags), Signals: num64(a.Interest.Signals)}
		out.Interest.SparedOpens, out.Interest.UnlessOpens = num32(a.Interest.SparedOpens), num32(a.Interest.UnlessOpens)
		for _, k := range event.Kinds() {
			if a.Interest.Kinds.Has(k) {
				out.Interest.Kinds = append(out.Interest.Kinds, k.String())
			}
		}
	}
	return out
}
