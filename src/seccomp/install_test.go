package seccomp

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// try makes the child that runs one trial.
func try(t *testing.T, trial string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: filters are installed with CAP_SYS_ADMIN here")
	}
	if err := Supported(); err != nil {
		t.Skip(err)
	}
	command := exec.Command("/proc/self/exe", args...)
	command.Env = append(os.Environ(), childVariable+"="+trial)
	return command
}

func TestInstall(t *testing.T) {
	for trial := range trials {
		if trial == "32 bits" {
			continue // has a test of its own
		}
		t.Run(trial, func(t *testing.T) {
			if out, err := try(t, trial).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		})
	}
}

func TestSupportedHere(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if field := strings.Contains(string(text), "\nSeccomp:"); field != (Supported() == nil) {
		t.Errorf("the kernel has a seccomp field: %t; Supported says %v", field, Supported())
	}
}

func TestInstallErrorsSayWhatIsMissing(t *testing.T) {
	for errno, need := range map[unix.Errno]error{unix.EACCES: ErrNotPermitted, unix.EPERM: ErrNotPermitted} {
		if err := explain(errno, 0); !errors.Is(err, need) || !errors.Is(err, errno) {
			t.Errorf("%v is explained as %v", errno, err)
		}
	}
	if err := explain(unix.ENOSYS, unix.SECCOMP_FILTER_FLAG_TSYNC); Supported() == nil && !errors.Is(err, ErrFlags) {
		t.Errorf("ENOSYS with flags is explained as %v", err)
	}
	if err := explain(0, 0); err != nil {
		t.Errorf("success is explained as %v", err)
	}
	if err := Install(nil, 0); err == nil {
		t.Error("an empty program is taken")
	}
	if err := Install(make([]unix.SockFilter, maxInstructions+1), 0); err == nil {
		t.Error("a program that is too long is taken")
	}
}
