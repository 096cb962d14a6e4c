package record

import (
	"bytes"
	"net/netip"

	"github.com/ebpfless/ebpfless/src/event"
)

// What Num holds, by kind. Anything not listed uses none.
const (
	NumFlags = 0 // open, unlink
	NumMode  = 1 // open, mkdir, chmod

	NumPPID = 0 // exec, fork

	NumUID       = 1 // exec: credentials after it
	NumEUID      = 2
	NumGID       = 3
	NumEGID      = 4
	NumExecFlags = 5 // exec: ExecHasIDs, ExecFromProcFS

	NumCode  = 0 // exit
	NumCause = 1

	NumID        = 0 // setuid, setgid and fs twins, chown (uid, gid)
	NumEffective = 1

	NumCapEffective = 0
	NumCapPermitted = 1

	NumATime = 0
	NumMTime = 1

	NumSoft = 0 // link

	NumFromMemory = 0 // load_module

	NumFamily   = 0 // connect, bind, accept, setsockopt
	NumPort     = 1
	NumProtocol = 2

	NumSockType  = 3 // setsockopt
	NumLevelName = 4 // level << 32 | name
	NumFilterLen = 5

	NumDomain     = 0 // socket
	NumSocketType = 1

	NumResource = 0 // setrlimit
	NumCur      = 1
	NumMax      = 2
	NumTarget   = 3

	NumOption = 0 // prctl
	NumArg2   = 1

	NumRequest = 0 // ptrace, signal (the number)
	NumWhom    = 1 // ptrace, signal
)

// Bits of NumExecFlags.
const (
	ExecHasIDs = 1 << iota
	ExecFromProcFS
)

// Names turns ids into names; unknown ids give an empty name.
type Names interface {
	User(uid uint32) string
	Group(gid uint32) string
}

// Event puts the facts into the vocabulary of rules and wire. The event owns everything it holds.
func Event(f *Facts, p *Program, names Names) *event.Event {
	e := &event.Event{Kind: f.Kind, PID: f.PID, Time: f.Time, Retval: f.Retval}
	e.File = file(&f.File, names)
	e.Destination = file(&f.Destination, names)
	if fill := fillers[f.Kind]; fill != nil {
		fill(e, f, names)
	}
	if p != nil {
		e.Exec.Args, e.Exec.Envs = split(p.Args), split(p.Envs)
		e.Exec.ArgsTruncated, e.Exec.EnvsTruncated = p.ArgsTruncated, p.EnvsTruncated
	}
	return e
}

func file(f *File, names Names) event.File {
	out := event.File{Path: string(f.Path.Get())}
	if !f.Known {
		return out
	}
	out.Inode, out.Mode, out.CTime, out.MTime = f.Inode, f.Mode, f.CTime, f.MTime
	out.HasOwner, out.UID, out.GID = true, f.UID, f.GID
	out.User, out.Group = names.User(f.UID), names.Group(f.GID)
	return out
}

func split(list []byte) []string {
	if len(list) == 0 {
		return nil
	}
	parts := bytes.Split(bytes.TrimSuffix(list, []byte{0}), []byte{0})
	out := make([]string, len(parts))
	for i, part := range parts {
		out[i] = string(part)
	}
	return out
}

var fillers = map[event.Kind]func(*event.Event, *Facts, Names){
	event.Exec: func(e *event.Event, f *Facts, names Names) {
		e.PPID, e.Exec.TTY = uint32(f.Num[NumPPID]), string(f.Text[0].Get())
		e.Exec.FromProcFS = f.Num[NumExecFlags]&ExecFromProcFS != 0
		if f.Num[NumExecFlags]&ExecHasIDs != 0 {
			e.Exec.Credentials = credentials(f, names)
		}
	},
	event.Fork: func(e *event.Event, f *Facts, _ Names) { e.PPID = uint32(f.Num[NumPPID]) },
	event.Exit: func(e *event.Event, f *Facts, _ Names) {
		e.Exit = event.ExitInfo{Code: uint32(f.Num[NumCode]), Cause: event.Cause(f.Num[NumCause])}
	},
	event.Open:     flagsAndMode,
	event.Mkdir:    flagsAndMode,
	event.Chmod:    flagsAndMode,
	event.Unlink:   flagsAndMode,
	event.SetUID:   userIDs,
	event.SetFSUID: userIDs,
	event.SetGID:   groupIDs,
	event.SetFSGID: groupIDs,
	event.Chown: func(e *event.Event, f *Facts, names Names) {
		uid, gid := int32(f.Num[NumID]), int32(f.Num[NumEffective])
		e.Owner = event.Owner{UID: uid, GID: gid, User: nameOf(names.User, uid), Group: nameOf(names.Group, gid)}
	},
	event.Capset: func(e *event.Event, f *Facts, _ Names) {
		e.Caps = event.Caps{Effective: f.Num[NumCapEffective], Permitted: f.Num[NumCapPermitted]}
	},
	event.Utimes: func(e *event.Event, f *Facts, _ Names) {
		e.Times = event.Times{Access: f.Num[NumATime], Modification: f.Num[NumMTime]}
	},
	event.Link: func(e *event.Event, f *Facts, _ Names) { e.Soft = f.Num[NumSoft] != 0 },
	event.LoadModule: func(e *event.Event, f *Facts, _ Names) {
		e.Module = event.Module{Name: string(f.Text[0].Get()), Args: string(f.Text[1].Get()), FromMemory: f.Num[NumFromMemory] != 0}
	},
	event.UnloadModule: func(e *event.Event, f *Facts, _ Names) { e.Module.Name = string(f.Text[0].Get()) },
	event.Mount: func(e *event.Event, f *Facts, _ Names) {
		e.Mount = event.MountInfo{Source: e.File.Path, Target: e.Destination.Path, FSType: string(f.Text[0].Get())}
		e.File, e.Destination = event.File{}, event.File{}
	},
	event.Umount: func(e *event.Event, _ *Facts, _ Names) {
		e.Mount.Target = e.File.Path
		e.File = event.File{}
	},
	event.Connect: address,
	event.Bind:    address,
	event.Accept:  address,
	event.Setsockopt: func(e *event.Event, f *Facts, _ Names) {
		e.Sockopt = event.Sockopt{
			Family: uint16(f.Num[NumFamily]), Protocol: uint16(f.Num[NumProtocol]), Type: uint16(f.Num[NumSockType]),
			Level: uint32(f.Num[NumLevelName] >> 32), Name: uint32(f.Num[NumLevelName]),
			Filter: bytes.Clone(f.File.Path.Get()), FilterLen: uint16(f.Num[NumFilterLen]),
		}
		e.File = event.File{}
	},
	event.Setrlimit: func(e *event.Event, f *Facts, _ Names) {
		e.Rlimit = event.Rlimit{Resource: int32(f.Num[NumResource]), Cur: f.Num[NumCur], Max: f.Num[NumMax], PID: uint32(f.Num[NumTarget])}
	},
	event.Prctl: func(e *event.Event, f *Facts, _ Names) {
		e.Prctl = event.PrctlInfo{Option: int32(f.Num[NumOption]), Arg2: f.Num[NumArg2], NewName: string(f.Text[0].Get())}
	},
	event.Socket: func(e *event.Event, f *Facts, _ Names) {
		e.Socket = event.SocketInfo{Domain: int32(f.Num[NumDomain]), Type: int32(f.Num[NumSocketType]), Protocol: int32(f.Num[NumProtocol])}
	},
	event.Ptrace: func(e *event.Event, f *Facts, _ Names) {
		e.Ptrace = event.PtraceInfo{Request: int64(f.Num[NumRequest]), PID: uint32(f.Num[NumWhom])}
	},
	event.Signal: func(e *event.Event, f *Facts, _ Names) {
		e.Signal = event.SignalInfo{Signal: int32(f.Num[NumRequest]), PID: int32(f.Num[NumWhom])}
	},
}

func credentials(f *Facts, names Names) *event.Credentials {
	c := &event.Credentials{
		UID: uint32(f.Num[NumUID]), EUID: uint32(f.Num[NumEUID]),
		GID: uint32(f.Num[NumGID]), EGID: uint32(f.Num[NumEGID]),
	}
	c.User, c.EUser = names.User(c.UID), names.User(c.EUID)
	c.Group, c.EGroup = names.Group(c.GID), names.Group(c.EGID)
	return c
}

func flagsAndMode(e *event.Event, f *Facts, _ Names) {
	e.Flags, e.Mode = uint32(f.Num[NumFlags]), uint32(f.Num[NumMode])
}

func userIDs(e *event.Event, f *Facts, names Names)  { e.IDs = ids(f, names.User) }
func groupIDs(e *event.Event, f *Facts, names Names) { e.IDs = ids(f, names.Group) }

func ids(f *Facts, name func(uint32) string) event.IDs {
	id, effective := int32(f.Num[NumID]), int32(f.Num[NumEffective])
	return event.IDs{ID: id, Effective: effective, Name: nameOf(name, id), EffectiveName: nameOf(name, effective)}
}

// nameOf leaves -1, which means "unchanged", without a name.
func nameOf(name func(uint32) string, id int32) string {
	if id == -1 {
		return ""
	}
	return name(uint32(id))
}

// address reads the 4 or 16 bytes of an IP address from the first text.
func address(e *event.Event, f *Facts, _ Names) {
	ip, _ := netip.AddrFromSlice(f.Text[0].Get())
	e.Sock = event.Sock{IP: ip, Family: uint16(f.Num[NumFamily]), Port: uint16(f.Num[NumPort]), Protocol: uint16(f.Num[NumProtocol])}
}
