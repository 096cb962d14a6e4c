package wire

import (
	"fmt"
	"net/netip"

	"github.com/ebpfless/ebpfless/src/event"
)

// toMessage goes by which pointer is set: the first generation had no type, and a type whose struct is missing, which
// crashes the original's probe, is an error here.
func toMessage(m *message) (event.Message, error) {
	out := event.Message{Seq: m.Seq, Dropped: m.Dropped}
	switch {
	case m.Hello != nil && (m.Type == typeHello || m.Type == 0):
		out.Hello = toHello(m.Hello)
	case m.Syscall != nil && (m.Type == typeSyscall || m.Type == 0):
		out.Event = toEvent(m.Syscall)
	case m.Type == typeGoodbye:
		out.Goodbye = true
	case m.Type == typeHello || m.Type == typeSyscall:
		return out, fmt.Errorf("%w: type %d without its content", ErrMalformed, m.Type)
	}
	return out, nil // an unknown type: none of the three is set
}

func toHello(h *hello) *event.Hello {
	out := &event.Hello{Mode: event.Mode(h.Mode), Args: h.EntrypointArgs, NSID: uint64(h.NSID), Accepts: h.Accepts}
	if c := h.ContainerContext; c != nil {
		out.Container = event.Container{
			ID: c.ID, CreatedAt: uint64(c.CreatedAt), Name: c.Name, Image: c.ImageShortName, Tag: c.ImageTag,
		}
	}
	if out.Mode == "" {
		out.Mode = event.UnknownMode
	}
	return out
}

// toEvent decides the kind by the public struct that is there, since the numbers of the first generation were others.
func toEvent(s *syscall) *event.Event {
	e := &event.Event{
		PID: uint32(s.PID), Time: uint64(s.Timestamp), Retval: int64(s.Retval),
		ContainerID: s.ContainerID, CGroupID: s.CGroupID,
	}
	if c := s.SpanContext; c != nil {
		e.Span = event.Span{ID: uint64(c.SpanID), TraceLo: c.TraceID.Lo, TraceHi: c.TraceID.Hi}
	}
	for _, d := range decoders {
		if d(e, s) {
			break
		}
	}
	return e
}

// decoders take their kind if it is there.
var decoders = []func(*event.Event, *syscall) bool{
	toOpen, toFork, toExec, toExit, toIDs, toCaps, toOnFile, toTwoFiles, toChange, toModule, toMount, toSock, toSettings, toOurs,
}

func toOpen(e *event.Event, s *syscall) bool {
	o := s.Open
	if o == nil {
		return false
	}
	e.Kind, e.Flags, e.Mode = event.Open, uint32(o.Flags), uint32(o.Mode)&0o7777
	e.File = toFile(&file{
		Filename: o.Filename, CTime: o.CTime, MTime: o.MTime, Mode: o.Mode, Inode: o.Inode, Credentials: o.Credentials,
	})
	return true
}

func toFork(e *event.Event, s *syscall) bool {
	if s.Fork == nil {
		return false
	}
	e.Kind, e.PPID = event.Fork, uint32(s.Fork.PPID)
	return true
}

func toExec(e *event.Event, s *syscall) bool {
	x := s.Exec
	if x == nil {
		return false
	}
	e.Kind, e.PPID = event.Exec, uint32(x.PPID)
	if x.File != nil {
		e.File = toFile(x.File)
	}
	e.Exec = event.ExecInfo{
		TTY: x.TTY, Args: x.Args, Envs: x.Envs, ArgsTruncated: x.ArgsTruncated, EnvsTruncated: x.EnvsTruncated,
		FromProcFS: x.FromProcFS,
	}
	if c := x.Credentials; c != nil {
		e.Exec.Credentials = &event.Credentials{
			UID: uint32(c.UID), EUID: uint32(c.EUID), GID: uint32(c.GID), EGID: uint32(c.EGID),
			User: c.User, EUser: c.EUser, Group: c.Group, EGroup: c.EGroup,
		}
	}
	return true
}

func toExit(e *event.Event, s *syscall) bool {
	if s.Exit == nil {
		return false
	}
	e.Kind, e.Exit = event.Exit, event.ExitInfo{Code: uint32(s.Exit.Code), Cause: event.Cause(s.Exit.Cause)}
	return true
}

func toIDs(e *event.Event, s *syscall) bool {
	switch {
	case s.SetUID != nil:
		e.Kind = event.SetUID
		e.IDs = event.IDs{ID: int32(s.SetUID.UID), Effective: int32(s.SetUID.EUID), Name: s.SetUID.User, EffectiveName: s.SetUID.EUser}
	case s.SetGID != nil:
		e.Kind = event.SetGID
		e.IDs = event.IDs{ID: int32(s.SetGID.GID), Effective: int32(s.SetGID.EGID), Name: s.SetGID.Group, EffectiveName: s.SetGID.EGroup}
	case s.SetFSUID != nil:
		e.Kind, e.IDs = event.SetFSUID, event.IDs{ID: int32(s.SetFSUID.FSUID), Effective: -1, Name: s.SetFSUID.FSUser}
	case s.SetFSGID != nil:
		e.Kind, e.IDs = event.SetFSGID, event.IDs{ID: int32(s.SetFSGID.FSGID), Effective: -1, Name: s.SetFSGID.FSGroup}
	default:
		return false
	}
	return true
}

func toCaps(e *event.Event, s *syscall) bool {
	if s.Capset == nil {
		return false
	}
	e.Kind, e.Caps = event.Capset, event.Caps{Effective: uint64(s.Capset.Effective), Permitted: uint64(s.Capset.Permitted)}
	return true
}

func toOnFile(e *event.Event, s *syscall) bool {
	switch {
	case s.Unlink != nil:
		e.Kind, e.File = event.Unlink, toFile(&s.Unlink.File)
	case s.Rmdir != nil:
		e.Kind, e.File = event.Rmdir, toFile(&s.Rmdir.File)
	case s.Mkdir != nil:
		e.Kind, e.File, e.Mode = event.Mkdir, toFile(&s.Mkdir.Dir), uint32(s.Mkdir.Mode)
	case s.Chdir != nil:
		e.Kind, e.File = event.Chdir, toFile(&s.Chdir.Dir)
	default:
		return false
	}
	return true
}

func toTwoFiles(e *event.Event, s *syscall) bool {
	switch {
	case s.Rename != nil:
		e.Kind, e.File, e.Destination = event.Rename, toFile(&s.Rename.OldFile), toFile(&s.Rename.NewFile)
	case s.Link != nil:
		e.Kind, e.File, e.Destination = event.Link, toFile(&s.Link.Target), toFile(&s.Link.Link)
		e.Soft = s.Link.Type == 0
	default:
		return false
	}
	return true
}

func toChange(e *event.Event, s *syscall) bool {
	switch {
	case s.Chmod != nil:
		e.Kind, e.File, e.Mode = event.Chmod, toFile(&s.Chmod.File), uint32(s.Chmod.Mode)
	case s.Chown != nil:
		c := s.Chown
		e.Kind, e.File = event.Chown, toFile(&c.File)
		e.Owner = event.Owner{UID: int32(c.UID), GID: int32(c.GID), User: c.User, Group: c.Group}
	case s.Utimes != nil:
		e.Kind, e.File = event.Utimes, toFile(&s.Utimes.File)
		e.Times = event.Times{Access: uint64(s.Utimes.ATime), Modification: uint64(s.Utimes.MTime)}
	default:
		return false
	}
	return true
}

func toModule(e *event.Event, s *syscall) bool {
	switch {
	case s.LoadModule != nil:
		m := s.LoadModule
		e.Kind, e.File = event.LoadModule, toFile(&m.File)
		e.Module = event.Module{Name: m.Name, Args: m.Args, FromMemory: m.LoadedFromMemory}
	case s.UnloadModule != nil:
		e.Kind, e.Module.Name = event.UnloadModule, s.UnloadModule.Name
	default:
		return false
	}
	return true
}

func toMount(e *event.Event, s *syscall) bool {
	switch {
	case s.Mount != nil:
		e.Kind = event.Mount
		e.Mount = event.MountInfo{Source: s.Mount.Source, Target: s.Mount.Target, FSType: s.Mount.FSType}
	case s.Umount != nil:
		e.Kind, e.Mount.Target = event.Umount, s.Umount.Path
	default:
		return false
	}
	return true
}

func toSock(e *event.Event, s *syscall) bool {
	switch {
	case s.Connect != nil:
		e.Kind, e.Sock = event.Connect, sockOf(s.Connect)
	case s.Bind != nil:
		e.Kind, e.Sock = event.Bind, sockOf(s.Bind)
	case s.Accept != nil:
		a := s.Accept
		e.Kind, e.Sock = event.Accept, sockOf(&sock{Addr: a.Addr, AddressFamily: a.AddressFamily, Port: a.Port})
	default:
		return false
	}
	return true
}

func toSettings(e *event.Event, s *syscall) bool {
	switch {
	case s.Setsockopt != nil:
		o := s.Setsockopt
		e.Kind = event.Setsockopt
		e.Sockopt = event.Sockopt{
			Family: uint16(o.SocketFamily), Protocol: uint16(o.SocketProtocol), Type: uint16(o.SocketType),
			Level: uint32(o.Level), Name: uint32(o.OptName), Filter: o.Filter, FilterLen: uint16(o.FilterLen),
		}
	case s.Setrlimit != nil:
		r := s.Setrlimit
		e.Kind = event.Setrlimit
		e.Rlimit = event.Rlimit{Resource: int32(r.Resource), Cur: uint64(r.CurLimit), Max: uint64(r.MaxLimit), PID: uint32(r.Pid)}
	case s.Prctl != nil:
		p := s.Prctl
		e.Kind, e.Prctl = event.Prctl, event.PrctlInfo{Option: int32(p.Option), Arg2: uint64(p.Arg2), NewName: p.NewName}
	case s.Socket != nil && s.Type == typeSocket:
		k := s.Socket
		e.Kind, e.Socket = event.Socket, event.SocketInfo{Domain: int32(k.Domain), Type: int32(k.Type), Protocol: int32(k.Protocol)}
	default:
		return false
	}
	return true
}

func toOurs(e *event.Event, s *syscall) bool {
	switch {
	case s.Ptrace != nil:
		e.Kind, e.Ptrace = event.Ptrace, event.PtraceInfo{Request: int64(s.Ptrace.Request), PID: uint32(s.Ptrace.PID)}
	case s.Signal != nil:
		e.Kind, e.Signal = event.Signal, event.SignalInfo{Signal: int32(s.Signal.Signal), PID: int32(s.Signal.PID)}
	default:
		return false
	}
	return true
}

func toFile(f *file) event.File {
	out := event.File{
		Path: f.Filename, Inode: uint64(f.Inode), Mode: uint32(f.Mode), CTime: uint64(f.CTime), MTime: uint64(f.MTime),
	}
	if c := f.Credentials; c != nil {
		out.HasOwner, out.UID, out.GID, out.User, out.Group = true, uint32(c.UID), uint32(c.GID), c.User, c.Group
	}
	return out
}

func sockOf(s *sock) event.Sock {
	return event.Sock{
		IP: netip.Addr(s.Addr), Family: uint16(s.AddressFamily), Port: uint16(s.Port), Protocol: uint16(s.Protocol),
	}
}

func toAnswer(a *answer) event.Answer {
	out := event.Answer{Ack: a.Ack}
	if a.Interest != nil {
		out.Interest = &event.Interest{OpenFlags: uint32(a.Interest.OpenFlags), Signals: uint64(a.Interest.Signals)}
		out.Interest.SparedOpens, out.Interest.UnlessOpens = uint32(a.Interest.SparedOpens), uint32(a.Interest.UnlessOpens)
		for _, name := range a.Interest.Kinds {
			for _, k := range event.Kinds() {
				if k.String() == name {
					out.Interest.Kinds |= event.SetOf(k)
				}
			}
		}
	}
	return out
}
