package guard

import (
	"fmt"
	"os"
	"strings"

	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/selinux"
	"github.com/ebpfless/ebpfless/src/tracer/launch"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// Refusal explains why a process can't be traced, and what would help.
func Refusal(pid int, errno unix.Errno) error {
	switch errno {
	case unix.ESRCH:
		return fmt.Errorf("trace pid %d: no such process", pid)
	case unix.EPERM, unix.EACCES: // the latter comes of security modules
		return fmt.Errorf("trace pid %d: %s", pid, forbidden(pid))
	case unix.ENOSPC:
		return fmt.Errorf("trace pid %d: more than %d threads", pid, shared.TaskSlots*7/8)
	case 0:
		return fmt.Errorf("trace pid %d: it ended", pid)
	}
	return fmt.Errorf("trace pid %d: %w", pid, errno)
}

// forbidden finds out which of the reasons of ptrace(2) for EPERM applies, or which security module refuses.
func forbidden(pid int) string {
	var reader procfs.Reader
	var status procfs.Status
	if reader.Status(pid, &status) == 0 && status.TracerPID != 0 {
		return fmt.Sprintf("it is traced already, by pid %d", status.TracerPID)
	}
	if state := reader.State(pid); state == 'Z' || state == 'X' {
		return "it has ended, and waits for its parent to take notice"
	}
	if scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil {
		switch strings.TrimSpace(string(scope)) {
		case "1":
			return "not permitted: kernel.yama.ptrace_scope is 1, so only CAP_SYS_PTRACE or a parent may trace it"
		case "2":
			return "not permitted: kernel.yama.ptrace_scope is 2, so only CAP_SYS_PTRACE may trace it"
		case "3":
			return "not permitted: kernel.yama.ptrace_scope is 3, which forbids tracing until the next boot"
		}
	}
	if selinux.Host.PtraceDenied() {
		return "not permitted: SELinux's boolean deny_ptrace is on (setsebool deny_ptrace off, or install cws-selinux and see cws_selinux(8))"
	}
	if !launch.HasCapability(unix.CAP_SYS_PTRACE) {
		return "not permitted: it belongs to another user or has more privileges, so CAP_SYS_PTRACE is needed"
	}
	if selinux.Host.Enforced() {
		return "not permitted: SELinux may forbid it (ausearch -m avc -c cws-loop tells; see cws_selinux(8))"
	}
	return "not permitted: a security module or a container's seccomp profile forbids it (in Docker: --cap-add SYS_PTRACE)"
}
