package tests

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// inNamespaces executes a command where a shell is pid 1: unshare(1) can't make that before Linux 3.8.
const inNamespaces = `mount --make-rprivate / && mount -t proc proc /proc && exec "$@"`

// As pid 1 of a namespace, as in a container, the tracer stays pid 1: it ends as the application does, reaps orphans,
// passes signals on, and the last event arrives although everything dies with it.
func TestAsPidOne(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "needs root, for a pid namespace")
	}
	for name, c := range map[string]struct {
		script string
		term   bool
		code   int
		stdout string
	}{
		"exit code":         {script: "exit 9", code: 9},
		"death by a signal": {script: "kill -KILL $$", code: 137},
		"a signal":          {script: `trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.1; done`, term: true, code: 7, stdout: "ready\ncaught\n"},
		"orphans":           {script: `(sleep 0.1 &); sleep 0.3; ps -e -o stat= | grep -c Z; exit 3`, code: 3, stdout: "0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			probe, err := recorder.Start(ours)
			if err != nil {
				t.Fatal(err)
			}
			defer probe.Close()
			cmd := exec.Command("sh", "-c", inNamespaces, "sh", program(t, "cws-instrumentation"),
				"trace", "--probe-addr", probe.Addr(), "--", "/bin/sh", "-c", c.script)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
			var stdout strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.term {
				err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.Kind == event.Exec && strings.HasSuffix(e.File.Path, "/sleep") })
				if err != nil {
					t.Fatal(err)
				}
				cmd.Process.Signal(syscall.SIGTERM)
			}
			timer := time.AfterFunc(runLimit, func() { cmd.Process.Kill() })
			cmd.Wait()
			timer.Stop()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if stdout.String() != c.stdout {
				t.Errorf("it said %q, want %q", stdout.String(), c.stdout)
			}
			if err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.Kind == event.Exit && ended(e, c.code) }); err != nil {
				t.Errorf("the application's end was not reported: %v", err)
			}
		})
	}
}

func ended(e *event.Event, code int) bool {
	if e.Exit.Cause == event.Signaled {
		return int(e.Exit.Code)+128 == code
	}
	return int(e.Exit.Code) == code
}
