package event

// Kind says which thing a traced process did.
type Kind uint8

// The closed list of kinds. SetFSUID and SetFSGID are reported to rules as setuid and setgid.
const (
	Unknown Kind = iota
	Exec
	Fork
	Exit
	Open
	Unlink
	Rmdir
	Mkdir
	Rename
	Link
	Chmod
	Chown
	Utimes
	Chdir
	SetUID
	SetGID
	SetFSUID
	SetFSGID
	Capset
	LoadModule
	UnloadModule
	Mount
	Umount
	Connect
	Bind
	Accept
	Setsockopt
	Setrlimit
	Prctl
	Socket
	Ptrace
	Signal
	kindCount
)

// names are the event types of the rule language.
var names = [kindCount]string{
	Unknown: "unknown", Exec: "exec", Fork: "fork", Exit: "exit", Open: "open", Unlink: "unlink",
	Rmdir: "rmdir", Mkdir: "mkdir", Rename: "rename", Link: "link", Chmod: "chmod", Chown: "chown",
	Utimes: "utimes", Chdir: "chdir", SetUID: "setuid", SetGID: "setgid", SetFSUID: "setuid",
	SetFSGID: "setgid", Capset: "capset", LoadModule: "load_module", UnloadModule: "unload_module",
	Mount: "mount", Umount: "umount", Connect: "connect", Bind: "bind", Accept: "accept",
	Setsockopt: "setsockopt", Setrlimit: "setrlimit", Prctl: "prctl", Socket: "socket",
	Ptrace: "ptrace", Signal: "signal",
}

// String gives the event type as rules name it.
func (k Kind) String() string {
	if k >= kindCount {
		return names[Unknown]
	}
	return names[k]
}

// Kinds lists every kind but Unknown, in ascending order.
func Kinds() []Kind {
	all := make([]Kind, 0, kindCount-1)
	for k := Unknown + 1; k < kindCount; k++ {
		all = append(all, k)
	}
	return all
}

// Set is a set of kinds.
type Set uint64

// SetOf makes a set of the given kinds.
func SetOf(kinds ...Kind) Set {
	var s Set
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has tells whether k is in the set.
func (s Set) Has(k Kind) bool { return s&(1<<k) != 0 }

// Everything is the set of all kinds.
const Everything Set = 1<<kindCount - 1 - 1<<Unknown
