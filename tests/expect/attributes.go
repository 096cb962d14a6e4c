package expect

import (
	"fmt"
	"strconv"

	"github.com/ebpfless/ebpfless/src/event"
)

// reader tells one attribute of an event; false when the event doesn't say, which is allowed for few.
type reader func(*event.Event) (string, bool)

// anywhere are the attributes whose place in an event doesn't depend on its kind.
var anywhere = map[string]reader{
	"retval":      number(func(e *event.Event) int64 { return e.Retval }),
	"path":        text(func(e *event.Event) string { return e.File.Path }),
	"destination": text(func(e *event.Event) string { return e.Destination.Path }),
	"inode":       inode,
	"flags":       number(func(e *event.Event) uint32 { return e.Flags }),
	"mode":        number(func(e *event.Event) uint32 { return e.Mode }),
	"ppid":        number(func(e *event.Event) uint32 { return e.PPID }),
}

// particular are those of one kind; they come before those of all.
var particular = map[event.Kind]map[string]reader{
	event.Exec: {
		"uid":       credential(func(c *event.Credentials) uint32 { return c.UID }),
		"euid":      credential(func(c *event.Credentials) uint32 { return c.EUID }),
		"gid":       credential(func(c *event.Credentials) uint32 { return c.GID }),
		"egid":      credential(func(c *event.Credentials) uint32 { return c.EGID }),
		"truncated": flag(func(e *event.Event) bool { return e.Exec.ArgsTruncated }),
		"arg":       nil, // compared as a list
	},
	event.Exit: {
		"code":  number(func(e *event.Event) uint32 { return e.Exit.Code }),
		"cause": text(cause),
	},
	event.SetUID: ids,
	event.SetGID: ids,
	event.Capset: {
		"effective": number(func(e *event.Event) uint64 { return e.Caps.Effective }),
		"permitted": number(func(e *event.Event) uint64 { return e.Caps.Permitted }),
	},
	event.Link: {"soft": flag(func(e *event.Event) bool { return e.Soft })},
	event.Chown: {
		"uid": number(func(e *event.Event) int32 { return e.Owner.UID }),
		"gid": number(func(e *event.Event) int32 { return e.Owner.GID }),
	},
	event.Utimes: {
		"atime": number(func(e *event.Event) uint64 { return e.Times.Access }),
		"mtime": number(func(e *event.Event) uint64 { return e.Times.Modification }),
	},
	event.LoadModule: {
		"memory": flag(func(e *event.Event) bool { return e.Module.FromMemory }),
		"name":   text(func(e *event.Event) string { return e.Module.Name }),
		"args":   text(func(e *event.Event) string { return e.Module.Args }),
	},
	event.UnloadModule: {"name": text(func(e *event.Event) string { return e.Module.Name })},
	event.Mount: {
		"source": text(func(e *event.Event) string { return e.Mount.Source }),
		"target": text(func(e *event.Event) string { return e.Mount.Target }),
		"fstype": text(func(e *event.Event) string { return e.Mount.FSType }),
	},
	event.Umount:  {"target": text(func(e *event.Event) string { return e.Mount.Target })},
	event.Connect: address,
	event.Bind:    address,
	event.Accept:  address,
	event.Setsockopt: {
		"family":   number(func(e *event.Event) uint16 { return e.Sockopt.Family }),
		"protocol": number(func(e *event.Event) uint16 { return e.Sockopt.Protocol }),
		"level":    number(func(e *event.Event) uint32 { return e.Sockopt.Level }),
		"name":     number(func(e *event.Event) uint32 { return e.Sockopt.Name }),
	},
	event.Setrlimit: {
		"resource": number(func(e *event.Event) int32 { return e.Rlimit.Resource }),
		"cur":      number(func(e *event.Event) uint64 { return e.Rlimit.Cur }),
		"max":      number(func(e *event.Event) uint64 { return e.Rlimit.Max }),
		"target":   number(func(e *event.Event) uint32 { return e.Rlimit.PID }),
	},
	event.Prctl: {
		"option": number(func(e *event.Event) int32 { return e.Prctl.Option }),
		"arg2":   number(func(e *event.Event) uint64 { return e.Prctl.Arg2 }),
		"name":   text(func(e *event.Event) string { return e.Prctl.NewName }),
	},
	event.Socket: {
		"domain":   number(func(e *event.Event) int32 { return e.Socket.Domain }),
		"type":     number(func(e *event.Event) int32 { return e.Socket.Type }),
		"protocol": number(func(e *event.Event) int32 { return e.Socket.Protocol }),
	},
	event.Ptrace: {
		"request": number(func(e *event.Event) int64 { return e.Ptrace.Request }),
		"target":  number(func(e *event.Event) uint32 { return e.Ptrace.PID }),
	},
	event.Signal: {
		"signal": number(func(e *event.Event) int32 { return e.Signal.Signal }),
		"target": number(func(e *event.Event) int32 { return e.Signal.PID }),
	},
}

var ids = map[string]reader{
	"id":        number(func(e *event.Event) int32 { return e.IDs.ID }),
	"effective": number(func(e *event.Event) int32 { return e.IDs.Effective }),
}

var address = map[string]reader{
	"ip":       text(func(e *event.Event) string { return e.Sock.IP.String() }),
	"port":     number(func(e *event.Event) uint16 { return e.Sock.Port }),
	"family":   number(func(e *event.Event) uint16 { return e.Sock.Family }),
	"protocol": number(func(e *event.Event) uint16 { return e.Sock.Protocol }),
}

func known(k event.Kind, key string) bool {
	_, special := particular[k][key]
	_, general := anywhere[key]
	return special || general
}

func readerOf(k event.Kind, key string) reader {
	if r, ok := particular[k][key]; ok {
		return r
	}
	return anywhere[key]
}

func number[N int32 | int64 | uint16 | uint32 | uint64](of func(*event.Event) N) reader {
	return func(e *event.Event) (string, bool) { return fmt.Sprint(of(e)), true }
}

func text(of func(*event.Event) string) reader {
	return func(e *event.Event) (string, bool) { return of(e), true }
}

func flag(of func(*event.Event) bool) reader {
	return func(e *event.Event) (string, bool) {
		if of(e) {
			return "1", true
		}
		return "0", true
	}
}

// credential is told by the first exec of a trace; the protocol lets later ones leave it out.
func credential(of func(*event.Credentials) uint32) reader {
	return func(e *event.Event) (string, bool) {
		if e.Exec.Credentials == nil {
			return "", false
		}
		return fmt.Sprint(of(e.Exec.Credentials)), true
	}
}

// inode is that of the new name where there is one: the old name is gone when metadata can be read.
func inode(e *event.Event) (string, bool) {
	found := e.File.Inode
	if e.Kind == event.Rename && e.Destination.Inode != 0 {
		found = e.Destination.Inode
	}
	return strconv.FormatUint(found, 10), true
}

func cause(e *event.Event) string {
	switch e.Exit.Cause {
	case event.Exited:
		return "exited"
	case event.CoreDumped:
		return "dumped"
	case event.Signaled:
		return "signaled"
	}
	return fmt.Sprint(uint32(e.Exit.Cause))
}
