package syscalls

import "github.com/ebpfless/ebpfless/src/event"

// Call names the family of calls which one handler deals with, whatever the variant.
type Call uint8

// The families. Those of the last group yield no event by themselves.
const (
	Untracked  Call = iota
	Open            // Path or Text (memfd_create), or neither (open_by_handle_at); Flags, or How in memory
	Remove          // Path; unlink and rmdir, see Row.KindOf
	Mkdir           // Path, Mode
	Rename          // Path becomes Path2
	Link            // Path exists, Path2 is made
	Symlink         // Source is the text of the link, Path2 is made
	Chmod           // Path or FD, Mode
	Chown           // Path or FD, UID and GID, see Row.WideID
	Utimes          // Path, Times; a null path means Dirfd itself
	Chdir           // Path or FD
	SetIDs          // ID and perhaps Effective; Kind says which of the ids
	Capset          // Header and Data
	LoadModule      // FD, or Image of Length bytes; Params
	DropModule      // Text
	Mount           // Source onto Path2, FSType; move_mount has no type, and FD where Source may be empty
	Umount          // Path
	Connect         // FD, Address of Length bytes
	Bind            // FD, Address of Length bytes
	Accept          // FD, Address that the call fills in, null when nobody asks
	Setsockopt      // FD, Level, Option, Value of Length bytes
	Setrlimit       // Resource, Value behind a pointer; PID for prlimit64
	Prctl           // Option, Value
	Socket          // Domain, Type, Protocol
	Ptrace          // Request, TID
	Signal          // Signo, and PID, TID or FD (a pidfd)

	Root       // chroot, pivot_root: paths resolve differently from now on
	Setns      // the same for all that a namespace governs
	Socketcall // i386: the calls of BehindSocketcall behind one number
	IOUring    // opens a way around every trap, see the table
)

// Role is what an argument is for.
type Role uint8

// The roles. Where a path has no descriptor in its call, it is relative to the working directory.
const (
	Path      Role = iota // pointer to the path of the object
	Dirfd                 // what Path is relative to
	Path2                 // pointer to the second path: what is made, or where to
	Dirfd2                // what Path2 is relative to
	Source                // pointer to text that is not resolved as Path is: a link's target, a mount's source
	FD                    // descriptor of the object itself
	Flags                 // the call's flag word
	Mode                  // permission bits asked for
	How                   // pointer to struct open_how
	HowSize               // bytes of it
	ID                    // set*id: the real, or only, id
	Effective             // set*id: the effective id
	UID                   // chown
	GID                   // chown
	Times                 // pointer to two moments, see Row.Clock
	Text                  // pointer to a name: of a memfd, of a module
	Params                // pointer to text: module parameters
	FSType                // pointer to text
	Address               // pointer to struct sockaddr
	Length                // bytes behind Address, Value or Image; accept: pointer to them
	Level                 // setsockopt
	Option                // setsockopt, prctl
	Value                 // setsockopt, setrlimit: pointer; prctl: the second argument itself
	Resource              // setrlimit
	Domain                // socket
	Type                  // socket
	Protocol              // socket
	Request               // ptrace; socketcall: which call
	Vector                // socketcall: pointer to the arguments of the call, as longs
	PID                   // thread group, or as kill(2) has it
	TID                   // thread
	Signo                 // signal
	Header                // capset: pointer to struct __user_cap_header_struct
	Data                  // capset: pointer to struct __user_cap_data_struct
	Image                 // init_module: pointer to the module
	Info                  // pointer to siginfo_t
	roleCount
)

// Clock says what lies behind Times.
type Clock uint8

// Two of each; null means now.
const (
	NoClock      Clock = iota
	Seconds            // longs
	Microseconds       // pairs of longs: struct timeval
	Nanoseconds        // pairs of longs: struct timespec, or of 64-bit numbers where Row.Wide
)

// Row says all that handlers need to know of one system call. Rows are shared and must not be written to.
type Row struct {
	Name string
	Call Call
	Kind event.Kind      // event.Unknown for bookkeeping
	At   [roleCount]int8 // index of the argument with the role; -1: none

	// Entry asks for a look at memory and names before the call runs, because they are gone or changed after it.
	// Registers are no reason: they must be kept from the entry stop in any case, as arm64 returns in the first of them.
	Entry bool
	// Exit says that the result is the event or decides whether there is one.
	Exit bool

	AltKind event.Kind // what the event is instead when Flags has AltFlag
	AltFlag uint32     // 0: never
	Fixed   uint32     // flags that the call implies: those of creat
	Clock   Clock
	Wide    bool // numbers behind pointers have 64 bits on every ABI: prlimit64, utimensat_time64
	ShortID bool // ids have 16 bits on I386 and ARM, where a twin with a 32 in its name exists; use WideID

	follow     bool
	followFlip uint32
}

// Arg gives the argument with the role and true, or false where the call has none.
func (r *Row) Arg(role Role, args *[6]uint64) (uint64, bool) {
	i := r.At[role]
	if i < 0 {
		return 0, false
	}
	return args[i], true
}

// FlagsOf gives the flag word, implied ones included. openat2 keeps its own in memory: 0.
func (r *Row) FlagsOf(args *[6]uint64) uint32 {
	flags, _ := r.Arg(Flags, args)
	return uint32(flags) | r.Fixed
}

// KindOf gives the kind of event for the flag word: unlinkat is rmdir with AT_REMOVEDIR.
func (r *Row) KindOf(flags uint32) event.Kind {
	if flags&r.AltFlag != 0 {
		return r.AltKind
	}
	return r.Kind
}

// Follows tells whether a symbolic link as the last component of Path is followed, given the flag word. For calls with
// Path2 only it is about that one; beside a Path, Path2 is a name to be made and is never followed.
func (r *Row) Follows(flags uint32) bool { return r.follow != (flags&r.followFlip != 0) }

// WideID reads an id from a register: -1, "unchanged", has 16 bits in the older calls of I386 and ARM.
func (r *Row) WideID(abi ABI, register uint64) int32 {
	if !r.ShortID || !abi.narrow() {
		return int32(register)
	}
	if uint16(register) == 0xffff {
		return -1
	}
	return int32(uint16(register))
}
