package tests

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/upstart"
	"github.com/ebpfless/ebpfless/src/unit"
	"github.com/ebpfless/ebpfless/tests/recorder"
	"golang.org/x/sys/unix"
)

// job is a job of upstart, run as upstart runs it (job_process.c): in a session of its own, by sh -e, and running once the main
// process has stopped itself, for expect stop; what ends it goes to the process group of that process.
type job struct {
	t    *testing.T
	dir  string
	main int
}

// background are the ways into the background, and the expect stanza that each asks for. $D is the daemon.
var background = map[string]struct{ expect, script string }{
	"fork":                          {"fork", "$D &"},
	"fork into a session":           {"fork", "setsid $D &"},
	"daemon":                        {"daemon", "setsid sh -c '$D & sleep 0.2' &"},
	"daemon whose parent waits":     {"daemon", "setsid sh -c '$D &'"},
	"daemon that forks once only":   {"daemon", "setsid $D &"},
	"fork of a parent that waits":   {"fork", "$D & sleep 0.3"},
	"fork beside a child of before": {"fork", "sleep 0.1 & wait; $D &"},
}

// daemonText is a daemon that says what it gets.
const daemonText = `#!/bin/sh
trap 'echo term >>%[1]s/got; exit 3' TERM
trap 'echo hup >>%[1]s/got' HUP
echo $$ >%[1]s/pid.new
mv %[1]s/pid.new %[1]s/pid
while :; do sleep 0.05; done
`

func begin(t *testing.T, expect, script string) *job {
	t.Helper()
	probe, err := recorder.Start(&event.Answer{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { probe.Close() })
	j := &job{t: t, dir: t.TempDir()}
	write := func(name, text string) {
		path := filepath.Join(j.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
			t.Fatal(err)
		}
	}
	write("daemon", fmt.Sprintf(daemonText, j.dir))
	conf := "expect " + expect + "\nscript\n" + strings.ReplaceAll(script, "$D", j.dir+"/daemon") + "\nend script\n"
	write("etc/init/x.conf", conf)
	s := upstart.System{Root: j.dir, Tracer: program(t, "cws-instrumentation"), ProbeAddr: probe.Addr()}
	plan, err := s.Plan(t.Context(), "x", service.Wrap)
	if err != nil {
		t.Fatal(err)
	}
	parsed := unit.ParseJob(conf + plan.Files[0].Text)
	if parsed.Expect != "stop" {
		t.Fatalf("upstart would expect %q", parsed.Expect)
	}
	text := strings.Replace(parsed.Script, "/usr/bin/cwsctl", program(t, "cwsctl"), 1)
	cmd := exec.Command("/bin/sh", "-e", "-c", text)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	j.main = cmd.Process.Pid
	t.Cleanup(func() { unix.Kill(-j.main, unix.SIGKILL) })
	return j
}

// change waits until the main process stops or ends.
func (j *job) change() unix.WaitStatus {
	j.t.Helper()
	for deadline := time.Now().Add(runLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var status unix.WaitStatus
		if pid, err := unix.Wait4(j.main, &status, unix.WUNTRACED|unix.WNOHANG, nil); err != nil {
			j.t.Fatal(err)
		} else if pid == j.main {
			return status
		}
	}
	j.t.Fatal("nothing becomes of the job")
	return 0
}

// running waits until the job is running, and gives the daemon.
func (j *job) running() int {
	j.t.Helper()
	if status := j.change(); status.StopSignal() != unix.SIGSTOP {
		j.t.Fatalf("the job ended (%#x) and was not there", uint32(status))
	}
	unix.Kill(j.main, unix.SIGCONT)
	for deadline := time.Now().Add(leaveLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(j.dir, "pid"))
		if err == nil {
			pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
			return pid
		}
	}
	j.t.Fatal("the daemon does not say its pid")
	return 0
}

func (j *job) got(want string) {
	j.t.Helper()
	var text []byte
	for deadline := time.Now().Add(leaveLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if text, _ = os.ReadFile(filepath.Join(j.dir, "got")); bytes.HasSuffix(text, []byte(want)) {
			return
		}
	}
	j.t.Errorf("the daemon got %q, want %q", text, want)
}

// A wrapped job that expects forks is running when the daemon is there, traced from its first instruction; a reload reaches the
// daemon, stopping ends it, and its exit status is that of the job.
func TestUpstartExpect(t *testing.T) {
	for name, c := range background {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := begin(t, c.expect, c.script)
			pid := j.running()
			if tracerOf(pid) == 0 {
				t.Error("the daemon is not traced")
			}
			unix.Kill(j.main, unix.SIGHUP)
			j.got("hup\n")
			unix.Kill(-j.main, unix.SIGTERM)
			j.got("term\n")
			if status := j.change(); status.ExitStatus() != 3 {
				t.Errorf("the job ended with %#x, the daemon with status 3", uint32(status))
			}
		})
	}
}

// What upstart would start again, or not, it sees of the daemon: a crash, and the end of a command that leaves no daemon. And when
// upstart's patience ends, its SIGKILL ends the daemon.
func TestUpstartEnds(t *testing.T) {
	t.Run("crash", func(t *testing.T) {
		j := begin(t, "fork", "setsid $D &")
		unix.Kill(j.running(), unix.SIGKILL)
		if status := j.change(); status.Signal() != unix.SIGKILL {
			t.Errorf("the job ended with %#x, the daemon by SIGKILL", uint32(status))
		}
	})
	t.Run("no daemon", func(t *testing.T) {
		if status := begin(t, "fork", "exit 5").change(); status.ExitStatus() != 5 {
			t.Errorf("the job ended with %#x, want status 5", uint32(status))
		}
	})
	t.Run("killed", func(t *testing.T) {
		j := begin(t, "daemon", "setsid sh -c '$D &' &")
		pid := j.running()
		unix.Kill(-j.main, unix.SIGKILL)
		j.change()
		awaitEnd(t, pid)
	})
}
