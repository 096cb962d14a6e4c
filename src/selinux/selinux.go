// Package selinux asks the kernel what its SELinux policy says of executing a program behind a tracer, and names the domain
// that the program is to get. The policy itself is that of the top folder selinux.
package selinux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tracerType is the type of the domain that our policy gives to tracers.
const tracerType = "cws_tracer_t"

// Kernel is SELinux as a process meets it: selinuxfs and the process's own attributes (Linux 2.6.39 and later).
type Kernel struct {
	FS         string                            // where selinuxfs is mounted
	Attributes string                            // a folder with current, prev and exec
	Label      func(path string) (string, error) // of a file
	Ask        func(file, question string) (string, error)
}

// Host is the kernel of this machine. The attributes are those of the process's first thread, which alone may set exec.
var Host = Kernel{FS: "/sys/fs/selinux", Attributes: "/proc/self/attr", Label: label, Ask: ask}

// Enforced tells whether SELinux is there and denies what its policy does not allow.
func (k Kernel) Enforced() bool { return k.flag("enforce") }

// PtraceDenied tells whether the boolean deny_ptrace is on, by which the policies of Fedora and RHEL take ptrace from
// everybody. Other policies have none of that name.
func (k Kernel) PtraceDenied() bool { return k.Enforced() && k.flag("booleans/deny_ptrace") }

// flag reads what is 0 or 1; a boolean has what it was set to after a blank.
func (k Kernel) flag(name string) bool {
	text, err := os.ReadFile(filepath.Join(k.FS, name))
	return err == nil && strings.HasPrefix(string(text), "1")
}

// Successor gives the context in which a program would run if whoever executed this tracer had executed the program instead.
// It is empty outside of the domain of tracers, where the kernel's own choice is right, and without SELinux.
func (k Kernel) Successor(program string) (string, error) {
	current, err := k.attribute("current")
	if err != nil || typeOf(current) != tracerType {
		return "", nil
	}
	previous, err := k.attribute("prev")
	if err != nil {
		return "", fmt.Errorf("find the domain of the application: %w", err)
	}
	file, err := k.Label(program)
	if err != nil {
		return "", fmt.Errorf("read the SELinux label of %q: %w", program, err)
	}
	class, err := k.number("class/process/index")
	if err != nil {
		return "", err
	}
	return k.Ask(filepath.Join(k.FS, "create"), fmt.Sprintf("%s %s %d", previous, file, class))
}

// ErrMayNotTrace is the refusal by the policy. The kernel would refuse the application's exec for it.
var ErrMayNotTrace = errors.New("SELinux does not let the tracer trace")

// MayTrace asks whether the process's domain may trace another; nil where the question has no answer.
func (k Kernel) MayTrace(context string) error {
	if context == "" || !k.Enforced() {
		return nil
	}
	current, unnamed := k.attribute("current")
	class, unclassed := k.number("class/process/index")
	bit, unknown := k.number("class/process/perms/ptrace")
	if errors.Join(unnamed, unclassed, unknown) != nil {
		return nil
	}
	answer, err := k.Ask(filepath.Join(k.FS, "access"), fmt.Sprintf("%s %s %d", current, context, class))
	if err != nil {
		return nil
	}
	allowed, _, _ := strings.Cut(answer, " ") // permissions as a hexadecimal number, the first of them the lowest bit
	mask, err := strconv.ParseUint(allowed, 16, 32)
	if err == nil && bit > 0 && mask&(1<<(bit-1)) == 0 && !permissive(answer) {
		return fmt.Errorf("%w %s: see the booleans cws_trace_all and deny_ptrace in cws_selinux(8)", ErrMayNotTrace, typeOf(context))
	}
	return nil
}

// permissive reads the last field of an access decision, whose lowest bit says that nothing is denied to the domain.
func permissive(answer string) bool {
	fields := strings.Fields(answer)
	if len(fields) < 6 { // before Linux 2.6.33
		return false
	}
	flags, err := strconv.ParseUint(fields[5], 16, 32)
	return err == nil && flags&1 != 0
}

// SetExec has the next exec of the process's first thread, which must be the caller, enter a context.
func (k Kernel) SetExec(context string) error {
	file, err := os.OpenFile(filepath.Join(k.Attributes, "exec"), os.O_WRONLY, 0)
	if err == nil {
		defer file.Close()
		_, err = file.WriteString(context)
	}
	if err != nil {
		return fmt.Errorf("have SELinux run the application as %s: %w", context, err)
	}
	return nil
}

func (k Kernel) attribute(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(k.Attributes, name))
	return strings.TrimRight(string(text), "\x00\n"), err
}

func (k Kernel) number(name string) (uint64, error) {
	text, err := os.ReadFile(filepath.Join(k.FS, name))
	if err != nil {
		return 0, fmt.Errorf("ask SELinux: %w", err)
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16)
}

// ask writes a question to a file of selinuxfs and reads the answer from the same descriptor, which its writing doesn't move.
func ask(path, question string) (string, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("ask SELinux: %w", err)
	}
	defer file.Close()
	if _, err := file.Write([]byte(question)); err != nil {
		return "", fmt.Errorf("ask SELinux %q: %w", question, err)
	}
	answer := make([]byte, 4096) // selinuxfs gives a page at most
	n, err := file.Read(answer)
	if n == 0 && err != nil {
		return "", fmt.Errorf("ask SELinux %q: %w", question, err)
	}
	return strings.TrimRight(string(answer[:n]), "\x00\n"), nil
}

// typeOf takes the type out of user:role:type:range.
func typeOf(context string) string {
	parts := strings.SplitN(context, ":", 4)
	if len(parts) < 3 {
		return ""
	}
	return parts[2]
}

func label(path string) (string, error) {
	value := make([]byte, 256)
	n, err := unix.Getxattr(path, "security.selinux", value)
	if err == unix.ERANGE {
		value = make([]byte, 4096)
		n, err = unix.Getxattr(path, "security.selinux", value)
	}
	if err != nil {
		return "", &fs.PathError{Op: "getxattr", Path: path, Err: err}
	}
	return strings.TrimRight(string(value[:n]), "\x00"), nil
}
