package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"golang.org/x/sys/unix"
)

// Context gives back the event and the process that a detection tells of, for rules to be asked again; what the detection
// leaves out is zero. lost names the fields that its layout has no place for, so that rules which ask for them may answer
// differently. The result shares nothing with d.
func (d *Detection) Context() (c *Context, lost []string, err error) {
	r := restorer{lost: slices.Clone(unkept[d.Evt.Name])}
	kind, err := d.kind()
	if err != nil {
		return nil, nil, err
	}
	e := &event.Event{Kind: kind, Time: r.time("date", d.Date)}
	e.Retval = r.retval(d)
	if d.File != nil {
		e.File = r.file("file", d.File)
		if to := d.File.Destination; to != nil {
			e.Destination = r.file("file.destination", to)
		}
	}
	if read := readers[kind]; read != nil {
		read(d, e, &r)
	}
	c = &Context{Event: e, Process: r.tree(d), packages: packagesIn(d.fileDocs()...)}
	if kind == event.Exec {
		e.PPID = c.Process.PPID
		if d.File != nil {
			c.Process.Program.File = e.File
		}
	}
	e.PID, e.ContainerID, e.CGroupID = c.Process.PID, c.Process.ContainerID, c.Process.CGroupID
	return c, r.lost, r.err
}

// unkept are the fields of events that the layout has no place for.
var unkept = map[string][]string{
	"accept": {"accept.protocol"}, "ptrace": {"ptrace.tracee.* (but pid)"}, "setrlimit": {"setrlimit.*"},
	"setsockopt": {"setsockopt.filter_*", "setsockopt.is_filter_truncated", "setsockopt.used_immediates"},
}

// withoutResult are the events whose result no rule can ask for.
var withoutResult = map[string]bool{"capset": true, "exec": true, "exit": true, "setgid": true, "setuid": true}

// kind finds an event's kind by its name, which two kinds may share: only one of them names file system ids.
func (d *Detection) kind() (event.Kind, error) {
	to := &setIDDoc{}
	if d.Process != nil && d.Process.Credentials != nil && d.Process.Credentials.Destination != nil {
		to = d.Process.Credentials.Destination
	}
	switch {
	case d.Evt.Name == "":
		return 0, fmt.Errorf("evt.name is missing: it names the event, such as \"open\"")
	case d.Evt.Name == "setuid" && to.FSUID != nil:
		return event.SetFSUID, nil
	case d.Evt.Name == "setgid" && to.FSGID != nil:
		return event.SetFSGID, nil
	}
	for _, kind := range event.Kinds() {
		if kind.String() == d.Evt.Name {
			return kind, nil
		}
	}
	return 0, fmt.Errorf("evt.name %q is no event that this probe knows", d.Evt.Name)
}

// restorer keeps the first error and what can't be restored.
type restorer struct {
	lost []string
	err  error
}

func (r *restorer) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *restorer) time(key, text string) uint64 {
	if text == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.fail("%s: %q is no time as RFC 3339 has them", key, text)
		return 0
	}
	return uint64(t.UnixNano())
}

// retval is known exactly only where the rule that hit asked for it: the layout keeps no more than the outcome.
func (r *restorer) retval(d *Detection) int64 {
	if withoutResult[d.Evt.Name] {
		return 0
	}
	field := d.Evt.Name + ".retval"
	if d.Evt.RuleContext != nil {
		for _, m := range d.Evt.RuleContext.Matching {
			if n, err := strconv.ParseInt(m.Value, 10, 64); err == nil && m.Field == field {
				return n
			}
		}
	}
	r.lost = append(r.lost, field+" (but for its sign)")
	switch d.Evt.Outcome {
	case "Refused":
		return -int64(unix.EACCES)
	case "Error":
		return -int64(unix.EIO)
	}
	return 0
}

func (r *restorer) file(key string, f *fileDoc) event.File {
	path := f.Path
	if path == "" {
		path = f.Name // of what has no path, such as a memfd
	}
	return event.File{
		Path: path, Inode: f.Inode, Mode: f.Mode, HasOwner: true, UID: uint32(f.UID), GID: uint32(f.GID), User: f.User, Group: f.Group,
		CTime: r.time(key+".change_time", f.ChangeTime), MTime: r.time(key+".modification_time", f.ModificationTime),
	}
}

// readers give back what writers have added.
var readers = map[event.Kind]func(*Detection, *event.Event, *restorer){
	event.Exit: func(d *Detection, e *event.Event, r *restorer) {
		e.File = event.File{} // that of the process, which has it
		if d.Exit != nil {
			e.Exit = event.ExitInfo{Code: d.Exit.Code, Cause: event.Cause(numberIn(r, "exit.cause", exitCauses, d.Exit.Cause))}
		}
	},
	event.Open: func(d *Detection, e *event.Event, r *restorer) {
		e.Destination = event.File{}
		if d.File != nil {
			e.Flags = uint32(bitsOf(r, "file.flags", openFlags, d.File.Flags))
		}
		if s := d.Syscall["open"]; s != nil && s.Flags != nil {
			e.Flags = uint32(*s.Flags)
		}
		e.Mode = d.asked()
	},
	event.Mkdir: modeAsked, event.Chmod: modeAsked,
	event.Chown: func(d *Detection, e *event.Event, _ *restorer) {
		e.Destination = event.File{}
		if to := d.destination(); to != nil {
			e.Owner = event.Owner{UID: int32(to.UID), GID: int32(to.GID), User: to.User, Group: to.Group}
		}
	},
	event.Utimes: func(d *Detection, e *event.Event, r *restorer) {
		e.Destination = event.File{}
		if to := d.destination(); to != nil {
			e.Times.Access = r.time("file.destination.access_time", to.AccessTime)
			e.Times.Modification = r.time("file.destination.modification_time", to.ModificationTime)
		}
	},
	event.SetUID: idsAsked, event.SetGID: idsAsked, event.SetFSUID: idsAsked, event.SetFSGID: idsAsked,
	event.Capset: func(d *Detection, e *event.Event, r *restorer) {
		if to := d.become(); to != nil {
			e.Caps = event.Caps{Effective: capabilityBits(r, to.CapEffective), Permitted: capabilityBits(r, to.CapPermitted)}
		}
	},
	event.Unlink: func(d *Detection, e *event.Event, _ *restorer) {
		if s := d.Syscall["unlink"]; s != nil && s.Flags != nil {
			e.Flags = uint32(*s.Flags)
		}
	},
	event.LoadModule: module, event.UnloadModule: module,
	event.Mount: func(d *Detection, e *event.Event, _ *restorer) {
		if m := d.Mount; m != nil {
			e.Mount = event.MountInfo{Source: m.Source, Target: m.Mountpoint, FSType: m.FSType}
		}
	},
	event.Connect: func(d *Detection, e *event.Event, r *restorer) { e.Sock = r.socket("connect", d.Connect) },
	event.Accept:  func(d *Detection, e *event.Event, r *restorer) { e.Sock = r.socket("accept", d.Accept) },
	event.Bind:    func(d *Detection, e *event.Event, r *restorer) { e.Sock = r.socket("bind", d.Bind) },
	event.Setsockopt: func(d *Detection, e *event.Event, r *restorer) {
		if o := d.Sockopt; o != nil {
			e.Sockopt = event.Sockopt{
				Family:   uint16(numberIn(r, "setsockopt.socket_family", families, o.SocketFamily)),
				Protocol: uint16(numberIn(r, "setsockopt.socket_protocol", protocols, o.SocketProtocol)),
				Type:     uint16(numberIn(r, "setsockopt.socket_type", socketTypes, o.SocketType)),
				Level:    uint32(numberIn(r, "setsockopt.level", levels, o.Level)),
				Name:     uint32(numberIn(r, "setsockopt.optname", socketOptions, o.OptName)), FilterLen: o.FilterLen,
			}
		}
	},
	event.Prctl: func(d *Detection, e *event.Event, r *restorer) {
		if p := d.Prctl; p != nil {
			e.Prctl = event.PrctlInfo{Option: int32(numberIn(r, "prctl.option", prctlOptions, p.Option)), NewName: p.NewName}
		}
	},
	event.Socket: func(d *Detection, e *event.Event, r *restorer) {
		if s := d.Socket; s != nil {
			e.Socket = event.SocketInfo{
				Domain:   int32(numberIn(r, "socket.domain", families, s.Domain)),
				Type:     int32(numberIn(r, "socket.type", socketTypes, s.Type)),
				Protocol: int32(numberIn(r, "socket.protocol", protocols, s.Protocol)),
			}
		}
	},
	event.Ptrace: func(d *Detection, e *event.Event, r *restorer) {
		if p := d.Ptrace; p != nil {
			e.Ptrace.Request = numberIn(r, "ptrace.request", ptraceRequests, p.Request)
			if p.Tracee != nil {
				e.Ptrace.PID = p.Tracee.PID
			}
		}
	},
	event.Signal: func(d *Detection, e *event.Event, r *restorer) {
		if s := d.Signal; s != nil {
			e.Signal = event.SignalInfo{Signal: int32(unix.SignalNum(s.Type)), PID: s.PID}
		}
	},
}

func (d *Detection) destination() *fileDoc {
	if d.File == nil {
		return nil
	}
	return d.File.Destination
}

// asked is the mode that a call was given.
func (d *Detection) asked() uint32 {
	if s := d.Syscall[d.Evt.Name]; s != nil && s.Mode != nil {
		return uint32(*s.Mode)
	}
	if to := d.destination(); to != nil {
		return to.Mode
	}
	return 0
}

func modeAsked(d *Detection, e *event.Event, _ *restorer) {
	e.Destination, e.Mode = event.File{}, d.asked()
}

// become is what a call makes of its process.
func (d *Detection) become() *setIDDoc {
	if d.Process == nil || d.Process.Credentials == nil {
		return nil
	}
	return d.Process.Credentials.Destination
}

func idsAsked(d *Detection, e *event.Event, _ *restorer) {
	e.IDs = event.IDs{ID: -1, Effective: -1}
	to := d.become()
	if to == nil {
		return
	}
	switch e.Kind {
	case event.SetUID:
		e.IDs = event.IDs{ID: id(to.UID), Name: to.User, Effective: id(to.EUID), EffectiveName: to.EUser}
	case event.SetGID:
		e.IDs = event.IDs{ID: id(to.GID), Name: to.Group, Effective: id(to.EGID), EffectiveName: to.EGroup}
	case event.SetFSUID:
		e.IDs.ID, e.IDs.Name = id(to.FSUID), to.FSUser
	case event.SetFSGID:
		e.IDs.ID, e.IDs.Name = id(to.FSGID), to.FSGroup
	}
}

func id(n *int64) int32 {
	if n == nil {
		return -1
	}
	return int32(*n)
}

func module(d *Detection, e *event.Event, _ *restorer) {
	if m := d.Module; m != nil {
		e.Module = event.Module{Name: m.Name, Args: strings.Join(m.Argv, " "), FromMemory: m.LoadedFromMemory}
	}
}

func (r *restorer) socket(key string, s *socketDoc) event.Sock {
	if s == nil {
		return event.Sock{}
	}
	out := event.Sock{Port: s.Addr.Port, Family: uint16(numberIn(r, key+".addr.family", families, s.Addr.Family))}
	if s.Addr.IP != "" {
		ip, err := netip.ParseAddr(s.Addr.IP)
		if err != nil {
			r.fail("%s.addr.ip: %q is no address", key, s.Addr.IP)
		}
		out.IP = ip
	}
	if s.Protocol != nil {
		out.Protocol = uint16(numberIn(r, key+".protocol", protocols, *s.Protocol))
	}
	return out
}

// numberIn is nameIn backwards; "" is 0.
func numberIn(r *restorer, key string, table map[int64]string, text string) int64 {
	for value, name := range table {
		if name == text {
			return value
		}
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil && text != "" {
		r.fail("%s: %q is no name that this probe knows, and no number", key, text)
	}
	return value
}

// bitsOf is namesOf backwards.
func bitsOf(r *restorer, key string, table []named, names []string) (bits uint64) {
	for _, name := range names {
		i := slices.IndexFunc(table, func(n named) bool { return n.name == name })
		switch {
		case i >= 0:
			bits |= table[i].bits
		case name != "O_RDONLY":
			n, err := strconv.ParseUint(name, 0, 64)
			if err != nil {
				r.fail("%s: %q is no flag", key, name)
			}
			bits |= n
		}
	}
	return bits
}

func capabilityBits(r *restorer, names []string) (mask uint64) {
	for _, name := range names {
		i := slices.Index(capabilities[:], name)
		if i < 0 {
			r.fail("capability %q is not known", name)
			continue
		}
		mask |= 1 << i
	}
	return mask
}
