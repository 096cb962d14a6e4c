package launch

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// least is what a Go program must be allowed to have, else its runtime ends it before its first line and the application
// would never start. Go 1.26 comes up with 800M of addresses (not with 700M), 40M of data and 13 threads; there is some
// room to spare, as the tracer's processes have the same limits.
var least = [...]struct {
	limit uintptr
	need  uint64
	said  string
}{
	{unix.RLIMIT_AS, 1 << 30, "of addresses (ulimit -v)"},
	{unix.RLIMIT_DATA, 64 << 20, "of data (ulimit -d)"},
	{unix.RLIMIT_NPROC, 24, "of processes (ulimit -u)"},
}

var env = [...]byte{'/', 'u', 's', 'r', '/', 'b', 'i', 'n', '/', 'e', 'n', 'v', 0}

// evade executes the command of `trace -- CMD` at once, untraced, where a limit leaves the Go runtime no room. It returns if
// there is room, or no such command.
//
//go:nosplit
func evade(stack unsafe.Pointer) {
	for i := range least {
		var limit [2]uint64 // soft, hard
		if early(unix.SYS_PRLIMIT64, 0, least[i].limit, 0, uintptr(unsafe.Pointer(&limit))) != 0 || limit[0] >= least[i].need {
			continue
		}
		if least[i].limit == unix.RLIMIT_NPROC && root() {
			continue
		}
		execute(stack, least[i].said)
		return
	}
}

// root tells whether the kernel spares this process the limit of processes.
//
//go:nosplit
func root() bool {
	uid, _, _ := syscall.RawSyscall6(unix.SYS_GETUID, 0, 0, 0, 0, 0, 0)
	return uid == 0
}

// execute finds the command behind "--" in the arguments. What another user shall run is left to the runtime's luck: such a
// program is not run as this user, and groups can't be looked up here.
//
//go:nosplit
func execute(stack unsafe.Pointer, limit string) {
	argc := int(*(*uintptr)(stack))
	argv := unsafe.Add(stack, unsafe.Sizeof(uintptr(0)))
	if argc < 4 || !begins(*at(argv, 1), "trace\x00") {
		return
	}
	for i := 2; i < argc-1; i++ {
		if begins(*at(argv, i), "--uid") || begins(*at(argv, i), "--gid") {
			complain(limit, " may end this program, which alone can run the application as another user: raise it\n")
			return
		}
		if begins(*at(argv, i), "--\x00") {
			complain(limit, " leaves no room for a tracer: the application runs untraced\n")
			command := at(argv, i+1)
			path := *command
			if !hasSlash(path) { // env(1) looks in PATH
				path = unsafe.Pointer(&env)
				command = at(argv, i)
				*(*uintptr)(unsafe.Pointer(command)) = uintptr(path) // an integer has no write barrier
			}
			early(unix.SYS_EXECVE, uintptr(path), uintptr(unsafe.Pointer(command)), uintptr(unsafe.Pointer(at(argv, argc+1))), 0)
			complain(limit, " is not why the application can't be executed: check its name\n")
			early(unix.SYS_EXIT_GROUP, 2, 0, 0, 0)
		}
	}
}

// at is a place in the arguments, or behind their end in the environment.
//
//go:nosplit
func at(argv unsafe.Pointer, i int) *unsafe.Pointer {
	return (*unsafe.Pointer)(unsafe.Add(argv, uintptr(i)*unsafe.Sizeof(uintptr(0))))
}

//go:nosplit
func begins(word unsafe.Pointer, with string) bool {
	for i := range len(with) {
		if *(*byte)(unsafe.Add(word, i)) != with[i] {
			return false
		}
	}
	return true
}

//go:nosplit
func hasSlash(word unsafe.Pointer) bool {
	for ; *(*byte)(word) != 0; word = unsafe.Add(word, 1) {
		if *(*byte)(word) == '/' {
			return true
		}
	}
	return false
}

//go:nosplit
func complain(limit, rest string) {
	say("cws-instrumentation: the limit ")
	say(limit)
	say(rest)
}

//go:nosplit
func say(text string) {
	early(unix.SYS_WRITE, 2, uintptr(unsafe.Pointer(unsafe.StringData(text))), uintptr(len(text)), 0)
}
