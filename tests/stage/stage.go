// Package stage lets tests do what would harm a machine or change it: in namespaces of their own, over layers in memory,
// before a probe that lives in the test. What is done there is left to others.
package stage

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// staged marks the program that already runs on the stage.
const staged = "EBPFLESS_STAGED"

// Entered tells whether this process is on the stage already.
func Entered() bool { return os.Getenv(staged) != "" }

// Enter runs this program again in a mount namespace of its own, and in what else namespaces says (CLONE_NEW*), by the
// commands in front if there are any. It gives the exit status. It needs root and CAP_SYS_ADMIN.
func Enter(namespaces uintptr, front ...string) (int, error) {
	path, err := os.Executable()
	if err != nil {
		return 1, err
	}
	command := append(append(front, path), os.Args[1:]...)
	self := exec.Command(command[0], command[1:]...)
	self.Env = append(os.Environ(), staged+"=1")
	self.Stdout, self.Stderr = os.Stdout, os.Stderr
	self.SysProcAttr = &unix.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | namespaces, Pdeathsig: unix.SIGKILL}
	err = self.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("make namespaces, which needs root and CAP_SYS_ADMIN: %w", err)
	}
	return 0, nil
}
