package probe

import (
	"net/netip"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

func eventInt(name string, get func(*event.Event) int64) eventGetter {
	return secl.Int(name, func(_ *Context, e *event.Event) int64 { return get(e) })
}

func eventString(name string, get func(*event.Event) string) eventGetter {
	return secl.String(name, func(_ *Context, e *event.Event) string { return get(e) })
}

func eventBool(name string, get func(*event.Event) bool) eventGetter {
	return secl.Bool(name, func(_ *Context, e *event.Event) bool { return get(e) })
}

func missing(name string, typ secl.Type) eventGetter {
	return secl.Missing[Context, event.Event](name, typ, false, notTraced)
}

// Groups of fields that several events have.
var (
	retval = []eventGetter{eventInt("retval", func(e *event.Event) int64 { return e.Retval })}
	onFile = secl.Sub("file.", func(_ *Context, e *event.Event) *event.File { return &e.File }, fileFields)
	toFile = secl.Sub("file.destination.", func(_ *Context, e *event.Event) *event.File { return &e.Destination }, fileFields)
	asked  = []eventGetter{
		eventInt("file.destination.mode", func(e *event.Event) int64 { return int64(e.Mode) }),
		eventInt("file.destination.rights", func(e *event.Event) int64 { return int64(e.Mode & 0o7777) }),
	}
	sockFields = join(retval, []eventGetter{
		secl.Addr("addr.ip", func(_ *Context, e *event.Event) netip.Addr { return e.Sock.IP }),
		eventInt("addr.port", func(e *event.Event) int64 { return int64(e.Sock.Port) }),
		eventInt("addr.family", func(e *event.Event) int64 { return int64(e.Sock.Family) }),
		eventBool("addr.is_public", func(e *event.Event) bool { return public(e.Sock.IP) }),
		eventInt("protocol", func(e *event.Event) int64 { return int64(e.Sock.Protocol) }),
		secl.Missing[Context, event.Event]("addr.hostname", secl.TypeString, true, notTraced),
	})
)

// What a call was given. Names are those that the kernel made of it, absolute and without links.
func calledPath() eventGetter {
	return eventString("syscall.path", func(e *event.Event) string { return pathOf(&e.File) })
}

func calledDestination() eventGetter {
	return eventString("syscall.destination.path", func(e *event.Event) string { return pathOf(&e.Destination) })
}

func calledMode() eventGetter {
	return eventInt("syscall.mode", func(e *event.Event) int64 { return int64(e.Mode) })
}

func calledFlags() eventGetter {
	return eventInt("syscall.flags", func(e *event.Event) int64 { return int64(e.Flags) })
}

// public tells addresses of the Internet from those of a site or a machine.
func public(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !carrierGrade.Contains(ip)
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

var eventFields = map[string][]eventGetter{
	"exec": join([]eventGetter{
		calledPath(),
		missing("file.metadata.size", secl.TypeInt), missing("file.metadata.type", secl.TypeInt),
		missing("file.metadata.is_executable", secl.TypeBool), missing("file.metadata.architecture", secl.TypeInt),
		missing("file.metadata.abi", secl.TypeInt), missing("file.metadata.is_upx_packed", secl.TypeBool),
		missing("file.metadata.compression", secl.TypeInt), missing("file.metadata.is_garble_obfuscated", secl.TypeBool),
	}),
	"exit": {
		eventInt("cause", func(e *event.Event) int64 { return int64(e.Exit.Cause) }),
		eventInt("code", func(e *event.Event) int64 { return int64(e.Exit.Code) }),
	},
	"open": join(retval, onFile, asked[:1], []eventGetter{
		calledPath(), calledFlags(), calledMode(),
		eventInt("flags", func(e *event.Event) int64 { return int64(e.Flags) }),
	}),
	"mkdir": join(retval, onFile, asked, []eventGetter{calledPath(), calledMode()}),
	"rmdir": join(retval, onFile, []eventGetter{calledPath()}),
	"unlink": join(retval, onFile, []eventGetter{
		calledPath(), calledFlags(), missing("syscall.dirfd", secl.TypeInt),
		eventInt("flags", func(e *event.Event) int64 { return int64(e.Flags) }),
	}),
	"rename": join(retval, onFile, toFile, []eventGetter{calledPath(), calledDestination()}),
	"link":   join(retval, onFile, toFile, []eventGetter{calledPath(), calledDestination()}),
	"chmod":  join(retval, onFile, asked, []eventGetter{calledPath(), calledMode()}),
	"chown": join(retval, onFile, []eventGetter{
		calledPath(),
		eventInt("syscall.uid", func(e *event.Event) int64 { return int64(e.Owner.UID) }),
		eventInt("syscall.gid", func(e *event.Event) int64 { return int64(e.Owner.GID) }),
		eventInt("file.destination.uid", func(e *event.Event) int64 { return int64(e.Owner.UID) }),
		eventInt("file.destination.gid", func(e *event.Event) int64 { return int64(e.Owner.GID) }),
		eventString("file.destination.user", func(e *event.Event) string { return e.Owner.User }),
		eventString("file.destination.group", func(e *event.Event) string { return e.Owner.Group }),
	}),
	"utimes": join(retval, onFile, []eventGetter{calledPath()}),
	"chdir":  join(retval, onFile, []eventGetter{calledPath()}),
	"mount": join(retval, []eventGetter{
		eventString("syscall.fs_type", func(e *event.Event) string { return e.Mount.FSType }),
		eventString("syscall.mountpoint.path", func(e *event.Event) string { return e.Mount.Target }),
		eventString("syscall.source.path", func(e *event.Event) string { return e.Mount.Source }),
		eventString("fs_type", func(e *event.Event) string { return e.Mount.FSType }),
		eventString("mountpoint.path", func(e *event.Event) string { return e.Mount.Target }).WithLength(),
		eventString("source.path", func(e *event.Event) string { return e.Mount.Source }).WithLength(),
		missing("root.path", secl.TypeString), missing("detached", secl.TypeBool), missing("visible", secl.TypeBool),
	}),
	"umount": retval,
	"setuid": {
		eventInt("uid", func(e *event.Event) int64 { return asID(e, event.SetUID, e.IDs.ID) }),
		eventInt("euid", func(e *event.Event) int64 { return asID(e, event.SetUID, e.IDs.Effective) }),
		eventInt("fsuid", func(e *event.Event) int64 { return asID(e, event.SetFSUID, e.IDs.ID) }),
		eventString("user", func(e *event.Event) string { return asName(e, event.SetUID, e.IDs.Name) }),
		eventString("euser", func(e *event.Event) string { return asName(e, event.SetUID, e.IDs.EffectiveName) }),
		eventString("fsuser", func(e *event.Event) string { return asName(e, event.SetFSUID, e.IDs.Name) }),
	},
	"setgid": {
		eventInt("gid", func(e *event.Event) int64 { return asID(e, event.SetGID, e.IDs.ID) }),
		eventInt("egid", func(e *event.Event) int64 { return asID(e, event.SetGID, e.IDs.Effective) }),
		eventInt("fsgid", func(e *event.Event) int64 { return asID(e, event.SetFSGID, e.IDs.ID) }),
		eventString("group", func(e *event.Event) string { return asName(e, event.SetGID, e.IDs.Name) }),
		eventString("egroup", func(e *event.Event) string { return asName(e, event.SetGID, e.IDs.EffectiveName) }),
		eventString("fsgroup", func(e *event.Event) string { return asName(e, event.SetFSGID, e.IDs.Name) }),
	},
	"capset": {
		eventInt("cap_effective", func(e *event.Event) int64 { return int64(e.Caps.Effective) }),
		eventInt("cap_permitted", func(e *event.Event) int64 { return int64(e.Caps.Permitted) }),
	},
	"load_module": join(retval, onFile, []eventGetter{
		eventString("name", func(e *event.Event) string { return e.Module.Name }),
		eventString("args", func(e *event.Event) string { return e.Module.Args }),
		secl.Strings("argv", func(_ *Context, e *event.Event) []string { return strings.Fields(e.Module.Args) }),
		eventBool("args_truncated", func(e *event.Event) bool { return false }),
		eventBool("loaded_from_memory", func(e *event.Event) bool { return e.Module.FromMemory }),
	}),
	"unload_module": join(retval, []eventGetter{eventString("name", func(e *event.Event) string { return e.Module.Name })}),
	"bind":          sockFields,
	"connect":       sockFields,
	"accept":        sockFields,
	"setsockopt": join(retval, []eventGetter{
		eventInt("level", func(e *event.Event) int64 { return int64(e.Sockopt.Level) }),
		eventInt("optname", func(e *event.Event) int64 { return int64(e.Sockopt.Name) }),
		eventInt("socket_type", func(e *event.Event) int64 { return int64(e.Sockopt.Type) }),
		eventInt("socket_family", func(e *event.Event) int64 { return int64(e.Sockopt.Family) }),
		eventInt("socket_protocol", func(e *event.Event) int64 { return int64(e.Sockopt.Protocol) }),
		eventInt("filter_len", func(e *event.Event) int64 { return int64(e.Sockopt.FilterLen) }),
		eventString("filter_instructions", func(e *event.Event) string { return instructions(e.Sockopt.Filter) }),
		eventString("filter_hash", func(e *event.Event) string { return filterHash(e.Sockopt.Filter) }),
		eventBool("is_filter_truncated", func(e *event.Event) bool { return filterCut(&e.Sockopt) }),
		secl.Ints("used_immediates", func(_ *Context, e *event.Event) []int64 { return immediates(e.Sockopt.Filter) }),
	}),
	"setrlimit": join(retval, []eventGetter{
		eventInt("resource", func(e *event.Event) int64 { return int64(e.Rlimit.Resource) }),
		eventInt("rlim_cur", func(e *event.Event) int64 { return int64(e.Rlimit.Cur) }),
		eventInt("rlim_max", func(e *event.Event) int64 { return int64(e.Rlimit.Max) }),
	}),
	"prctl": join(retval, []eventGetter{
		eventInt("option", func(e *event.Event) int64 { return int64(e.Prctl.Option) }),
		eventString("new_name", func(e *event.Event) string { return e.Prctl.NewName }),
		eventBool("is_name_truncated", func(*event.Event) bool { return false }),
	}),
	"socket": join(retval, []eventGetter{
		eventInt("domain", func(e *event.Event) int64 { return int64(e.Socket.Domain) }),
		eventInt("type", func(e *event.Event) int64 { return int64(e.Socket.Type) }),
		eventInt("protocol", func(e *event.Event) int64 { return int64(e.Socket.Protocol) }),
	}),
	"ptrace": join(retval, []eventGetter{
		eventInt("request", func(e *event.Event) int64 { return e.Ptrace.Request }),
		eventInt("tracee.pid", func(e *event.Event) int64 { return int64(e.Ptrace.PID) }),
	}),
	"signal": join(retval, []eventGetter{
		eventInt("type", func(e *event.Event) int64 { return int64(e.Signal.Signal) }),
		eventInt("pid", func(e *event.Event) int64 { return int64(e.Signal.PID) }),
	}),
}

// asID gives an id of one of the two kinds that rules know by one name; -1 for the other.
func asID(e *event.Event, kind event.Kind, id int32) int64 {
	if e.Kind != kind {
		return -1
	}
	return int64(id)
}

func asName(e *event.Event, kind event.Kind, name string) string {
	if e.Kind != kind {
		return ""
	}
	return name
}
