// Package feature finds out what this kernel offers beyond Linux 3.4, by trying it and never by its version: distributions
// carry newer features into older kernels. How things are done without a feature is decided where it is used.
package feature

import (
	"fmt"
	"strings"

	"github.com/ebpfless/ebpfless/src/seccomp"
	"golang.org/x/sys/unix"
)

// Finding is what became of trying one feature.
type Finding struct {
	Name    string
	Since   string // the version of Linux that brought it
	There   bool
	Without string // what is done where it is missing
}

// attempt is a system call that no kernel lets succeed or that changes nothing: ENOSYS means that it is missing.
type attempt struct {
	Finding
	call uintptr
	args [5]uintptr
}

// notCalled is for what only applications use. The tracer knows these calls; where the kernel doesn't, nobody makes them.
const notCalled = "no application can call it here, and nothing of ours does"

var none = ^uintptr(0) // a descriptor that can't be open

var attempts = []attempt{
	{Finding{Name: "memfd_create(2)", Since: "3.17", Without: "the tracer's memory is an unlinked file in /dev/shm or /run"},
		unix.SYS_MEMFD_CREATE, [5]uintptr{}},
	{Finding{Name: "getrandom(2)", Since: "3.17", Without: "random numbers come from /dev/urandom"},
		unix.SYS_GETRANDOM, [5]uintptr{0, 0, unix.GRND_NONBLOCK}}, // early after the boot it would wait for entropy, for minutes
	{Finding{Name: "pidfd_open(2)", Since: "5.3", Without: "a rule's kill goes to a pid, looked at just before"},
		unix.SYS_PIDFD_OPEN, [5]uintptr{}},
	{Finding{Name: "process_vm_readv(2)", Since: "3.2", Without: "memory is read by ptrace(2), eight bytes at a time"},
		unix.SYS_PROCESS_VM_READV, [5]uintptr{}},
	{Finding{Name: "execveat(2)", Since: "3.19", Without: notCalled}, unix.SYS_EXECVEAT, [5]uintptr{none}},
	{Finding{Name: "statx(2)", Since: "4.11", Without: notCalled}, unix.SYS_STATX, [5]uintptr{none}},
	{Finding{Name: "clone3(2)", Since: "5.3", Without: notCalled}, unix.SYS_CLONE3, [5]uintptr{}},
	{Finding{Name: "openat2(2)", Since: "5.6", Without: notCalled}, unix.SYS_OPENAT2, [5]uintptr{none}},
	{Finding{Name: "close_range(2)", Since: "5.9", Without: notCalled}, unix.SYS_CLOSE_RANGE, [5]uintptr{1, 0}},
}

func (a *attempt) try() Finding {
	f := a.Finding
	_, _, errno := unix.RawSyscall6(a.call, a.args[0], a.args[1], a.args[2], a.args[3], a.args[4], 0)
	f.There = errno != unix.ENOSYS
	return f
}

// Look tries every feature. The subject is a command that calls Subject, to be traced for a moment; the error says why
// that was not possible, and then what only a tracee shows is missing from the findings.
func Look(subject []string) ([]Finding, error) {
	findings := filters()
	for i := range attempts {
		findings = append(findings, attempts[i].try())
	}
	seen, err := observe(subject)
	if err != nil {
		return findings, err
	}
	return append(findings, seen.findings()...), nil
}

// filters looks at what matters only where there are any.
func filters() []Finding {
	found := []Finding{{Name: "seccomp filter", Since: "3.5", There: seccomp.Supported() == nil, Without: "every system call of the application stops"}}
	if !found[0].There {
		return found
	}
	call := attempt{Finding{Name: "seccomp(2)", Since: "3.17", Without: "filters are installed by prctl(2)"},
		unix.SYS_SECCOMP, [5]uintptr{unix.SECCOMP_SET_MODE_FILTER}}
	return append(found, call.try(), Finding{Name: "SECCOMP_FILTER_FLAG_SPEC_ALLOW", Since: "4.17", There: specAllow(),
		Without: "a filter may switch mitigations of speculation on for the application"})
}

// specAllow asks without a program: the flags are looked at first, and a null pointer is EFAULT then.
func specAllow() bool {
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0)
	return errno == unix.EFAULT
}

// Report puts the findings into words: a list of what is there, and a line for each thing that is missing.
func Report(subject []string) (there string, missing []string) {
	findings, err := Look(subject)
	var names []string
	for _, f := range findings {
		if f.There {
			names = append(names, f.Name)
		} else {
			missing = append(missing, fmt.Sprintf("without %s (Linux %s): %s", f.Name, f.Since, f.Without))
		}
	}
	if err != nil {
		missing = append(missing, fmt.Sprintf("not looked at on a traced process: %v", err))
	}
	return strings.Join(names, ", "), missing
}
