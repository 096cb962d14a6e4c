package seccomp

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrNoFilter means that this kernel has no seccomp filters: it is older than 3.5 or built without them.
var ErrNoFilter = errors.New("this kernel has no seccomp filters (they need Linux 3.5 and CONFIG_SECCOMP_FILTER)")

// ErrNotPermitted means that the thread may not install filters.
var ErrNotPermitted = errors.New("seccomp filters need CAP_SYS_ADMIN in the process's user namespace or no_new_privs, and a container's own filter must not refuse them")

// ErrFlags means that the kernel has filters but none of the flags asked for, such as TSYNC before 3.17.
var ErrFlags = errors.New("this kernel does not know the seccomp flags")

// Install puts the program on the calling thread, for good: what the thread executes and forks later has it too. With
// SECCOMP_FILTER_FLAG_TSYNC the other threads of the process get it as well, or none do.
//
// The caller locks the goroutine to its thread, and needs CAP_SYS_ADMIN or NoNewPrivs first. Only raw system calls are
// made, so that nothing else runs between a filter without tracer and execve(2).
func Install(program []unix.SockFilter, flags uint) error {
	if len(program) == 0 || len(program) > maxInstructions {
		return fmt.Errorf("install filter: %d instructions, the kernel takes 1 to %d", len(program), maxInstructions)
	}
	fprog := &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// Before 5.16 a filter switches speculation mitigations on, for the whole life of the application, unless told.
	// Kernels before 4.17 refuse the flag with EINVAL.
	errno := set(fprog, flags|unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW)
	if errno == unix.EINVAL {
		errno = set(fprog, flags)
	}
	if (errno == unix.ENOSYS || errno == unix.EPERM) && flags == 0 { // before 3.17, or refused by the filter of a container
		errno = setByPrctl(fprog)
	}
	runtime.KeepAlive(program)
	return explain(errno, flags)
}

// NoNewPrivs gives up, for the thread and all that it starts, what set-user-id and file capabilities grant at execve(2),
// so that filters can be installed without privileges. It can't be undone, and programs such as sudo stop working.
func NoNewPrivs() error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set no_new_privs (needs Linux 3.5): %w", errno)
	}
	return nil
}

// Supported tells whether the kernel has filters, without installing one: ErrNoFilter where it has not.
func Supported() error {
	// The kernel reads the program before anything else, so that a null pointer is EFAULT exactly where filters exist.
	if errno := setByPrctl(nil); errno != unix.EFAULT {
		return fmt.Errorf("look for seccomp: %w (prctl: %v)", ErrNoFilter, errno)
	}
	return nil
}

// set is seccomp(2), which the Go library doesn't have. A positive result is the thread that TSYNC could not reach.
func set(fprog *unix.SockFprog, flags uint) unix.Errno {
	stranger, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags), uintptr(unsafe.Pointer(fprog)))
	if errno == 0 && stranger != 0 {
		return unix.ESRCH
	}
	return errno
}

func setByPrctl(fprog *unix.SockFprog) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(fprog)), 0, 0, 0)
	return errno
}

func explain(errno unix.Errno, flags uint) error {
	switch errno {
	case 0:
		return nil
	case unix.EACCES, unix.EPERM:
		return fmt.Errorf("install filter: %w: %w", ErrNotPermitted, errno)
	case unix.ESRCH:
		return fmt.Errorf("install filter: another thread has filters of its own: %w", errno)
	case unix.EINVAL, unix.ENOSYS:
		if err := Supported(); err != nil {
			return fmt.Errorf("install filter: %w", err)
		}
		if flags != 0 {
			return fmt.Errorf("install filter: %w %#x: %w", ErrFlags, flags, errno)
		}
		return fmt.Errorf("install filter: the kernel refuses the program: %w", errno)
	}
	return fmt.Errorf("install filter: %w", errno)
}
