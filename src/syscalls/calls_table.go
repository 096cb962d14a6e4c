package syscalls

import "github.com/ebpfless/ebpfless/src/event"

// call is one row as a person writes it.
type call struct {
	name string
	call Call
	kind event.Kind
	when moments
	link follow
	args string // the role of each argument in its order, as the man page's prototype; "_" for one that nobody reads
}

// moments says when a call is looked at.
type moments uint8

const (
	atExit moments = iota
	atBoth
)

// follow says what becomes of a symbolic link at the end of the path: followed or not, and the flag that turns it round.
type follow struct {
	yes  bool
	flip uint32
}

// Flags of linux/fcntl.h, linux/fs.h and linux/mount.h; the same on all ABIs.
const (
	atSymlinkNofollow  = 0x100
	atRemoveDir        = 0x200
	atSymlinkFollow    = 0x400
	umountNofollow     = 0x8
	moveMountTSymlinks = 0x10
	creatFlags         = 0o1101 // O_WRONLY | O_CREAT | O_TRUNC
)

var (
	always   = follow{yes: true}
	never    = follow{}
	unlessNF = follow{yes: true, flip: atSymlinkNofollow}
	ifFollow = follow{flip: atSymlinkFollow}
)

// calls are the tracked ones. Not among them:
//   - execve, execveat, fork, vfork, clone, clone3, exit: ptrace(2) reports them as events without a trap.
//   - fsopen, fsmount, open_tree: a file system appears in the tree only by move_mount, which is here.
//   - what io_uring does. Its opens, connects, renames and so on run in the kernel without a system call of their own:
//     neither seccomp nor ptrace sees them, and the entries of the ring in shared memory can change between our look and
//     the kernel's. Only io_uring_setup is seen; it is listed so that the tracer can say that a process has left its
//     sight. It is rare enough to be trapped always. Closing the hole takes kernel.io_uring_disabled (6.6) or refusing
//     the call, which changes what the application does and is therefore not for a table to decide.
var calls = [...]call{
	{"open", Open, event.Open, atExit, always, "path flags mode"},
	{"openat", Open, event.Open, atExit, always, "dirfd path flags mode"},
	{"openat2", Open, event.Open, atExit, always, "dirfd path how howsize"},
	{"creat", Open, event.Open, atExit, always, "path mode"},
	{"memfd_create", Open, event.Open, atExit, never, "text flags"},
	{"open_by_handle_at", Open, event.Open, atExit, never, "_ _ flags"},

	{"unlink", Remove, event.Unlink, atBoth, never, "path"},
	{"unlinkat", Remove, event.Unlink, atBoth, never, "dirfd path flags"},
	{"rmdir", Remove, event.Rmdir, atBoth, never, "path"},
	{"mkdir", Mkdir, event.Mkdir, atExit, never, "path mode"},
	{"mkdirat", Mkdir, event.Mkdir, atExit, never, "dirfd path mode"},
	{"rename", Rename, event.Rename, atBoth, never, "path path2"},
	{"renameat", Rename, event.Rename, atBoth, never, "dirfd path dirfd2 path2"},
	{"renameat2", Rename, event.Rename, atBoth, never, "dirfd path dirfd2 path2 flags"},
	{"link", Link, event.Link, atBoth, never, "path path2"},
	{"linkat", Link, event.Link, atBoth, ifFollow, "dirfd path dirfd2 path2 flags"},
	{"symlink", Symlink, event.Link, atBoth, never, "source path2"},
	{"symlinkat", Symlink, event.Link, atBoth, never, "source dirfd2 path2"},

	{"chmod", Chmod, event.Chmod, atBoth, always, "path mode"},
	{"fchmod", Chmod, event.Chmod, atBoth, always, "fd mode"},
	{"fchmodat", Chmod, event.Chmod, atBoth, always, "dirfd path mode"},
	{"fchmodat2", Chmod, event.Chmod, atBoth, unlessNF, "dirfd path mode flags"},
	{"chown", Chown, event.Chown, atBoth, always, "path uid gid"},
	{"lchown", Chown, event.Chown, atBoth, never, "path uid gid"},
	{"fchown", Chown, event.Chown, atBoth, always, "fd uid gid"},
	{"chown32", Chown, event.Chown, atBoth, always, "path uid gid"},
	{"lchown32", Chown, event.Chown, atBoth, never, "path uid gid"},
	{"fchown32", Chown, event.Chown, atBoth, always, "fd uid gid"},
	{"fchownat", Chown, event.Chown, atBoth, unlessNF, "dirfd path uid gid flags"},
	{"utime", Utimes, event.Utimes, atBoth, always, "path times"},
	{"utimes", Utimes, event.Utimes, atBoth, always, "path times"},
	{"futimesat", Utimes, event.Utimes, atBoth, always, "dirfd path times"},
	{"utimensat", Utimes, event.Utimes, atBoth, unlessNF, "dirfd path times flags"},
	{"utimensat_time64", Utimes, event.Utimes, atBoth, unlessNF, "dirfd path times flags"},

	{"chdir", Chdir, event.Chdir, atExit, always, "path"},
	{"fchdir", Chdir, event.Chdir, atExit, always, "fd"},
	{"chroot", Root, event.Unknown, atExit, always, "path"},
	{"pivot_root", Root, event.Unknown, atExit, always, "path path2"},
	{"setns", Setns, event.Unknown, atExit, never, "fd flags"},

	{"setuid", SetIDs, event.SetUID, atExit, never, "id"},
	{"setgid", SetIDs, event.SetGID, atExit, never, "id"},
	{"setreuid", SetIDs, event.SetUID, atExit, never, "id effective"},
	{"setregid", SetIDs, event.SetGID, atExit, never, "id effective"},
	{"setresuid", SetIDs, event.SetUID, atExit, never, "id effective _"},
	{"setresgid", SetIDs, event.SetGID, atExit, never, "id effective _"},
	{"setfsuid", SetIDs, event.SetFSUID, atExit, never, "id"},
	{"setfsgid", SetIDs, event.SetFSGID, atExit, never, "id"},
	{"setuid32", SetIDs, event.SetUID, atExit, never, "id"},
	{"setgid32", SetIDs, event.SetGID, atExit, never, "id"},
	{"setreuid32", SetIDs, event.SetUID, atExit, never, "id effective"},
	{"setregid32", SetIDs, event.SetGID, atExit, never, "id effective"},
	{"setresuid32", SetIDs, event.SetUID, atExit, never, "id effective _"},
	{"setresgid32", SetIDs, event.SetGID, atExit, never, "id effective _"},
	{"setfsuid32", SetIDs, event.SetFSUID, atExit, never, "id"},
	{"setfsgid32", SetIDs, event.SetFSGID, atExit, never, "id"},
	{"capset", Capset, event.Capset, atExit, never, "header data"},

	{"init_module", LoadModule, event.LoadModule, atBoth, never, "image length params"},
	{"finit_module", LoadModule, event.LoadModule, atBoth, never, "fd params flags"},
	{"delete_module", DropModule, event.UnloadModule, atExit, never, "text flags"},
	{"mount", Mount, event.Mount, atBoth, always, "source path2 fstype flags _"},
	{"move_mount", Mount, event.Mount, atBoth, follow{flip: moveMountTSymlinks}, "fd source dirfd2 path2 flags"},
	{"umount", Umount, event.Umount, atBoth, always, "path"},
	{"umount2", Umount, event.Umount, atBoth, follow{yes: true, flip: umountNofollow}, "path flags"},

	{"connect", Connect, event.Connect, atExit, never, "fd address length"},
	{"bind", Bind, event.Bind, atExit, never, "fd address length"},
	{"accept", Accept, event.Accept, atExit, never, "fd address length"},
	{"accept4", Accept, event.Accept, atExit, never, "fd address length flags"},
	{"socket", Socket, event.Socket, atExit, never, "domain type protocol"},
	{"setsockopt", Setsockopt, event.Setsockopt, atExit, never, "fd level option value length"},
	{"socketcall", Socketcall, event.Unknown, atExit, never, "request vector"},

	{"setrlimit", Setrlimit, event.Setrlimit, atExit, never, "resource value"},
	{"prlimit64", Setrlimit, event.Setrlimit, atExit, never, "pid resource value _"},
	{"prctl", Prctl, event.Prctl, atExit, never, "option value _ _ _"},
	{"ptrace", Ptrace, event.Ptrace, atExit, never, "request tid _ _"},
	// A process that kills itself never reaches the exit of the call: what there is to say must be known at entry.
	{"kill", Signal, event.Signal, atBoth, never, "pid signo"},
	{"tkill", Signal, event.Signal, atBoth, never, "tid signo"},
	{"tgkill", Signal, event.Signal, atBoth, never, "pid tid signo"},
	{"rt_sigqueueinfo", Signal, event.Signal, atBoth, never, "pid signo info"},
	{"rt_tgsigqueueinfo", Signal, event.Signal, atBoth, never, "pid tid signo info"},
	{"pidfd_send_signal", Signal, event.Signal, atBoth, never, "fd signo info flags"},

	{"io_uring_setup", IOUring, event.Unknown, atExit, never, "_ _"},
}

// words are the roles as the table writes them.
var words = map[string]Role{
	"path": Path, "dirfd": Dirfd, "path2": Path2, "dirfd2": Dirfd2, "source": Source, "fd": FD, "flags": Flags,
	"mode": Mode, "how": How, "howsize": HowSize, "id": ID, "effective": Effective, "uid": UID, "gid": GID,
	"times": Times, "text": Text, "params": Params, "fstype": FSType, "address": Address, "length": Length,
	"level": Level, "option": Option, "value": Value, "resource": Resource, "domain": Domain, "type": Type,
	"protocol": Protocol, "request": Request, "vector": Vector, "pid": PID, "tid": TID, "signo": Signo,
	"header": Header, "data": Data, "image": Image, "info": Info,
}

// exceptions are what a few rows have beside the columns.
var exceptions = map[string]func(*Row){
	"unlinkat":         func(r *Row) { r.AltKind, r.AltFlag = event.Rmdir, atRemoveDir },
	"creat":            func(r *Row) { r.Fixed = creatFlags },
	"utime":            func(r *Row) { r.Clock = Seconds },
	"utimes":           func(r *Row) { r.Clock = Microseconds },
	"futimesat":        func(r *Row) { r.Clock = Microseconds },
	"utimensat":        func(r *Row) { r.Clock = Nanoseconds },
	"utimensat_time64": func(r *Row) { r.Clock, r.Wide = Nanoseconds, true },
	"prlimit64":        func(r *Row) { r.Wide = true },
}

// socketcalls are the calls of linux/net.h behind socketcall(2), by its first argument.
var socketcalls = [...]string{1: "socket", 2: "bind", 3: "connect", 5: "accept", 14: "setsockopt", 18: "accept4"}
