package launch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/src/selinux"
	"golang.org/x/sys/unix"
)

// Command is what the process becomes.
type Command struct {
	Path   string // of the file to execute
	Args   []string
	Env    []string
	UID    int // -1: as it is
	GID    int // -1: as it is
	Groups []int
	Filter []unix.SockFilter // nil: none
	// Context is the SELinux context to run in; empty: what the kernel chooses.
	Context string
}

// ErrNoNewPrivs is a warning: set-user-id programs inside the application run without their privilege.
var ErrNoNewPrivs = errors.New("without CAP_SYS_ADMIN the filter needs no_new_privs: set-user-id programs that the application starts run without their privilege (--disable-seccomp avoids that, and costs time at every system call)")

// Become replaces the process by the command and returns only an error. warn is told of what the command will miss.
//
// The filter comes first, because it takes a privilege that the ids to be taken may not have. It makes the calls that
// take them stop for the tracer, which by now must be attached.
func Become(c Command, warn func(error)) error {
	if c.Filter != nil {
		if err := install(c.Filter, warn); err != nil {
			warn(fmt.Errorf("%w: of the application, only programs that it starts and their ends are reported (--disable-seccomp reports all)", err))
		}
	}
	if err := takeIDs(c); err != nil {
		return err
	}
	if c.Context != "" {
		if err := selinux.Host.SetExec(c.Context); err != nil {
			warn(err)
		}
	}
	restore()
	err := syscall.Exec(c.Path, c.Args, c.Env)
	return fmt.Errorf("execute %q: %w", c.Path, err)
}

func install(filter []unix.SockFilter, warn func(error)) error {
	err := error(unix.EACCES) // what the kernel says to those that lack both
	if HasCapability(unix.CAP_SYS_ADMIN) || noNewPrivs() {
		err = seccomp.Install(filter, 0)
	}
	if errors.Is(err, unix.EACCES) && !noNewPrivs() { // a security module may withhold a capability that one has
		warn(ErrNoNewPrivs)
		if err = seccomp.NoNewPrivs(); err == nil {
			err = seccomp.Install(filter, 0)
		}
	}
	if err != nil {
		return err
	}
	// The first trapped call of all: by its stops the tracer learns the kernel's order.
	unix.RawSyscall(unix.SYS_SETFSUID, uintptr(seccomp.CalibrationArgument), 0, 0)
	return nil
}

// takeIDs changes this thread alone, which is enough: the others end at exec.
func takeIDs(c Command) error {
	if c.Groups != nil {
		list := make([]uint32, len(c.Groups)+1)
		for i, g := range c.Groups {
			list[i] = uint32(g)
		}
		if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(c.Groups)), uintptr(unsafe.Pointer(&list[0])), 0); errno != 0 {
			return fmt.Errorf("set supplementary groups %v: %w (needs CAP_SETGID)", c.Groups, errno)
		}
	}
	if c.GID >= 0 {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETGID, uintptr(c.GID), 0, 0); errno != 0 {
			return fmt.Errorf("set group id %d: %w (needs CAP_SETGID)", c.GID, errno)
		}
	}
	if c.UID >= 0 {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETUID, uintptr(c.UID), 0, 0); errno != 0 {
			return fmt.Errorf("set user id %d: %w (needs CAP_SETUID)", c.UID, errno)
		}
	}
	return nil
}

// HasCapability tells whether a capability is effective in this process.
func HasCapability(capability int) bool {
	mask, err := strconv.ParseUint(statusField("CapEff:"), 16, 64)
	return err == nil && mask&(1<<capability) != 0
}

func noNewPrivs() bool { return statusField("NoNewPrivs:") == "1" }

func statusField(name string) string {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
