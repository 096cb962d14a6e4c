// Package event is the closed vocabulary of what traced processes do and of what tracer and probe say to each other;
// bytes, rules and the kernel are left to others.
package event

import "net/netip"

// Event is one thing that one process did. Kind tells which of the payload fields below count; the others are zero.
// An Event owns its strings and slices and may be kept.
type Event struct {
	Kind        Kind
	PID         uint32 // thread-group id in the tracer's pid namespace
	Time        uint64 // nanoseconds since the epoch
	Retval      int64  // result of the call; a negative errno on failure
	ContainerID string
	CGroupID    string
	Span        Span

	File        File   // exec, open, unlink, rmdir, mkdir, rename (old name), link (what exists), chmod, chown, utimes, chdir, load_module
	Destination File   // rename (new name), link (what is made)
	Flags       uint32 // open: O_* of the running architecture; unlink: AT_*
	Mode        uint32 // open with O_CREAT, mkdir, chmod: the mode asked for

	Exec    ExecInfo
	PPID    uint32 // fork, exec: thread-group id of the parent
	Exit    ExitInfo
	IDs     IDs   // setuid, setgid and their fs twins
	Owner   Owner // chown: what was asked for
	Caps    Caps  // capset
	Times   Times // utimes
	Soft    bool  // link: symbolic
	Module  Module
	Mount   MountInfo // mount, umount (Target only)
	Sock    Sock      // connect, bind, accept
	Sockopt Sockopt
	Rlimit  Rlimit
	Prctl   PrctlInfo
	Socket  SocketInfo
	Ptrace  PtraceInfo
	Signal  SignalInfo
}

// File is a file as the process's own root sees it.
type File struct {
	Path        string // absolute, symlinks resolved; "memfd:NAME", "pipe:[INODE]" and the like where there is no path
	Inode       uint64
	Mode        uint32 // st_mode, type included; 0 when the file was not looked at
	CTime       uint64 // nanoseconds since the epoch
	MTime       uint64 // nanoseconds since the epoch
	HasOwner    bool   // UID and GID are known
	UID, GID    uint32
	User, Group string
}

// Credentials are those of a process at one moment.
type Credentials struct {
	UID, EUID, GID, EGID       uint32
	User, EUser, Group, EGroup string
}

// ExecInfo is what an exec adds to File and PPID.
type ExecInfo struct {
	Credentials   *Credentials // nil: those that the process had
	TTY           string       // "pts3", "tty1"; empty without a terminal
	Args          []string     // argv, argv[0] included
	Envs          []string     // "NAME", or "NAME=value" for the few whose values are reported
	ArgsTruncated bool
	EnvsTruncated bool
	FromProcFS    bool // found by a scan, not seen happening
}

// Cause is how a process ended.
type Cause uint32

// The ways in which a process ends.
const (
	Exited Cause = iota
	CoreDumped
	Signaled
)

// ExitInfo holds the exit status, or the signal number for the other causes.
type ExitInfo struct {
	Code  uint32
	Cause Cause
}

// IDs are the arguments of a set*id call; -1 leaves an id unchanged. Effective is -1 for the calls that have none.
type IDs struct {
	ID, Effective       int32
	Name, EffectiveName string
}

// Owner is the owner that chown asks for; -1 leaves an id unchanged.
type Owner struct {
	UID, GID    int32
	User, Group string
}

// Caps are capability masks, bit n for capability n.
type Caps struct{ Effective, Permitted uint64 }

// Times are nanoseconds since the epoch; 0 where UTIME_OMIT was given.
type Times struct{ Access, Modification uint64 }

// Module is a kernel module loaded or unloaded.
type Module struct {
	Name, Args string
	FromMemory bool // init_module(2): there is no file
}

// MountInfo holds the arguments of mount(2); FSType is "bind" for MS_BIND.
type MountInfo struct{ Source, Target, FSType string }

// Sock is a socket address. IP is invalid for families other than AF_INET and AF_INET6.
type Sock struct {
	IP       netip.Addr
	Family   uint16
	Port     uint16 // host byte order
	Protocol uint16 // IPPROTO_*
}

// Sockopt holds the arguments of setsockopt(2).
type Sockopt struct {
	Family, Protocol, Type uint16
	Level, Name            uint32
	Filter                 []byte // classic BPF instructions of SO_ATTACH_FILTER, raw
	FilterLen              uint16 // instructions in the whole filter
}

// Rlimit holds the arguments of setrlimit(2) or prlimit(2).
type Rlimit struct {
	Resource int32
	Cur, Max uint64
	PID      uint32 // whose limit: the caller's own pid, or prlimit's target
}

// PrctlInfo holds the arguments of prctl(2).
type PrctlInfo struct {
	Option  int32
	Arg2    uint64
	NewName string // PR_SET_NAME
}

// SocketInfo holds the arguments of socket(2).
type SocketInfo struct{ Domain, Type, Protocol int32 }

// PtraceInfo holds the arguments of ptrace(2).
type PtraceInfo struct {
	Request int64
	PID     uint32
}

// SignalInfo holds the arguments of kill(2), tkill(2) and tgkill(2); PID may be 0 or negative as there.
type SignalInfo struct {
	Signal int32
	PID    int32
}

// Span is an APM span; zero when there is none.
type Span struct{ ID, TraceHi, TraceLo uint64 }
