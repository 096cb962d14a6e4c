package tests

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// goesToBackground is a forking service that fails soon after its start.
const goesToBackground = "read go; (sleep 0.02; exit 3) & exit 0"

// An init system that is told the main process knows it before it hears of the end of the launched one, and while it lives, how
// soon it may fail; one that doesn't listen is not waited for.
func TestMainProcessIsToldInTime(t *testing.T) {
	for name, c := range map[string]struct {
		flags   []string
		disturb func(t *testing.T, pid int)
	}{
		"seccomp":    {},
		"every call": {flags: []string{"--disable-seccomp"}},
		"loop":       {disturb: func(t *testing.T, pid int) { killEach(t, pid, "loop", 3) }},
		"renewal": {disturb: func(t *testing.T, pid int) {
			awaitTracer(t, pid, func(loop int) bool { return loop != 0 })
			unix.Kill(tracerOf(pid), unix.SIGHUP)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			notify, launched, stdin := forking(t, c.flags)
			if c.disturb != nil {
				c.disturb(t, launched)
			}
			stdin.Close()
			awaitEnd(t, launched)
			time.Sleep(100 * time.Millisecond) // in which the main process would have failed
			if heard(t, launched) {
				t.Error("the init system hears of the launched process before it knows the main one")
			}
			message := receive(t, notify)
			mainPID, err := strconv.Atoi(strings.TrimPrefix(message, "MAINPID="))
			if err != nil {
				t.Fatalf("the message is %q", message)
			}
			if s := state(mainPID); s == "" || strings.HasPrefix(s, "Z") {
				t.Errorf("the main process is in state %q when it becomes known", s)
			}
			receive(t, notify)
			endsWith(t, launched, 0)
			endsWith(t, mainPID, 3)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		_, launched, stdin := forking(t, nil)
		stdin.Close()
		endsWith(t, launched, 0)
	})
}

// forking starts a service whose parent is this process, as that of systemd's services is systemd.
func forking(t *testing.T, flags []string) (notify *net.UnixConn, launched int, stdin *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { notify.Close() })
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		skip(t, "no parent for what goes to the background before Linux 3.4: "+err.Error())
	}
	t.Cleanup(func() {
		unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
		if reap(-1, func(int, unix.WaitStatus) bool { return false }) != unix.ECHILD {
			t.Error("some processes don't end")
		}
	})
	read, stdin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	args := append([]string{"cws-instrumentation", "trace", "--async", "--notify-main-pid"}, flags...)
	process, err := os.StartProcess(program(t, "cws-instrumentation"), append(args, "--", "/bin/sh", "-c", goesToBackground), &os.ProcAttr{
		Env:   append(os.Environ(), "NOTIFY_SOCKET="+path),
		Files: []*os.File{read, os.Stdout, os.Stderr},
	})
	if err != nil {
		t.Fatal(err)
	}
	return notify, process.Pid, stdin
}

// heard tells whether a child has ended as far as its parent can know.
func heard(t *testing.T, pid int) bool {
	t.Helper()
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	return info.Signo != 0
}

func receive(t *testing.T, notify *net.UnixConn) string {
	t.Helper()
	notify.SetReadDeadline(time.Now().Add(leaveLimit))
	var b [4096]byte
	n, err := notify.Read(b[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

func endsWith(t *testing.T, pid, code int) {
	t.Helper()
	err := reap(pid, func(_ int, status unix.WaitStatus) bool {
		if status.ExitStatus() != code {
			t.Errorf("pid %d ended with %d, want %d", pid, status.ExitStatus(), code)
		}
		return true
	})
	if err != nil {
		t.Fatalf("wait for pid %d: %v", pid, err)
	}
}

// reap waits for children until it is enough.
func reap(which int, enough func(pid int, status unix.WaitStatus) bool) error {
	for deadline := time.Now().Add(leaveLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var status unix.WaitStatus
		pid, err := unix.Wait4(which, &status, unix.WNOHANG, nil)
		if err != nil {
			return err
		}
		if pid != 0 && enough(pid, status) {
			return nil
		}
	}
	return unix.ETIMEDOUT
}
