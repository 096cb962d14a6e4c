package upstart

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
)

// planned is the override that a job would get.
func planned(t *testing.T, job, override string) (string, error) {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, jobs), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"x.conf": job, "x.override": override} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(root, jobs, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := System{Root: root, Tracer: "/opt/tracer"}
	plan, err := s.Plan(t.Context(), "x", service.Wrap)
	if err != nil {
		return "", err
	}
	return plan.Files[0].Text, nil
}

func TestOverride(t *testing.T) {
	for _, c := range []struct{ name, job, override, want string }{
		{"exec", "start on x\nexec /bin/x -a 'b c' >>/var/log/x 2>/dev/null\n", "", begin + "exec /opt/tracer trace --wait 10s -- /bin/x -a 'b c' >>/var/log/x 2>/dev/null\n" + end},
		{"a pipe", "exec /bin/x | logger\n", "", begin + "script\nexec /opt/tracer trace --wait 10s -- /bin/sh -e -c 'exec /bin/x | logger'\nend script\n" + end},
		{"script", "script\n  . /etc/default/x\n  exec it's\nend script\n", "", begin + "script\nexec /opt/tracer trace --wait 10s -- /bin/sh -e -c '  . /etc/default/x\n  exec it'\\''s'\nend script\n" + end},
		{"stop", "expect stop\nexec /bin/x\n", "manual\n", "manual\n" + begin + "exec /opt/tracer trace --wait 10s -- /bin/x\n" + end},
		{"fork", "expect fork\nrespawn\nexec /bin/x -D\n", "", begin + "expect stop\nexec /usr/bin/cwsctl hook supervise --forks 1 -- /opt/tracer trace --wait 10s -- /bin/x -D\n" + end},
		{"daemon", "expect daemon\nscript\n  exec x\nend script\n", "", begin + "expect stop\nscript\nexec /usr/bin/cwsctl hook supervise --forks 2 -- /opt/tracer trace --wait 10s -- /bin/sh -e -c '  exec x'\nend script\n" + end},
		{"fork taken back", "expect fork\nexec /bin/x\n", "expect none\n", "expect none\n" + begin + "exec /opt/tracer trace --wait 10s -- /bin/x\n" + end},
		{"own override", "exec /bin/x\n", "exec /bin/y\n", "exec /bin/y\n" + begin + "exec /opt/tracer trace --wait 10s -- /bin/y\n" + end},
		{"no end of line", "exec /bin/x\n", "manual", "manual\n" + joined + "exec /opt/tracer trace --wait 10s -- /bin/x\n" + end},
		{"wrapped before", "exec /bin/x\n", "manual\n" + begin + "exec old\n" + end, "manual\n" + begin + "exec /opt/tracer trace --wait 10s -- /bin/x\n" + end},
	} {
		got, err := planned(t, c.job, c.override)
		if err != nil || got != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, got, c.want)
			continue
		}
		if before := remove(got); before != remove(c.override) {
			t.Errorf("%s: taking it away leaves %q of %q", c.name, before, c.override)
		}
		// What upstart would run is our tracer, behind the one that counts forks in upstart's place, and a shell can read it.
		job := unit.ParseJob(c.job + "\n" + got)
		runs := regexp.MustCompile(`^(exec )?(/usr/bin/cwsctl hook supervise --forks [12] -- )?/opt/tracer trace `)
		if part := runs.FindStringSubmatch(job.Exec + job.Script); part == nil || (part[2] != "") != (job.Expect == "stop" && !strings.Contains(c.job, "expect stop")) {
			t.Errorf("%s: runs %+v", c.name, job)
		}
		if job.Expect == "fork" || job.Expect == "daemon" {
			t.Errorf("%s: upstart would trace it, too", c.name)
		}
		text := job.Script
		if text == "" {
			text = "exec " + job.Exec
		}
		if out, err := exec.Command("sh", "-n", "-c", text).CombinedOutput(); err != nil {
			t.Errorf("%s: sh -n: %s", c.name, out)
		}
	}
}

// TestFollowing: all stanzas are of upstart 0.6.5, which CentOS 6 and Amazon Linux 1 have.
func TestFollowing(t *testing.T) {
	known := []string{"description", "start", "stop", "respawn", "exec"}
	for line := range strings.Lines(following("x")) {
		if stanza, _, _ := strings.Cut(strings.TrimSpace(line), " "); stanza != "#" && !slices.Contains(known, stanza) {
			t.Errorf("stanza %s", stanza)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, job := range map[string]string{
		"chroot": "chroot /srv\nexec /bin/x\n", "apparmor": "apparmor switch x\nexec /bin/x\n", "no process": "start on x\n",
		"already": "exec /opt/cws-instrumentation trace -- /bin/x\n",
	} {
		var obstacle *service.Obstacle
		if text, err := planned(t, job, ""); !errors.As(err, &obstacle) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	s := System{Root: t.TempDir()}
	for _, name := range []string{"", "../x", "nosuch"} {
		if _, err := s.Plan(t.Context(), name, service.Wrap); err == nil {
			t.Errorf("%q is planned", name)
		}
	}
}

// TestMainProcess: the words are those of upstart 1.13 and 0.6.
func TestMainProcess(t *testing.T) {
	for status, want := range map[string]int{
		"x start/running, process 412\n":                          412,
		"x stop/waiting\n":                                        0,
		"x start/starting\n":                                      0,
		"x stop/killed, process 7\n":                              0,
		"x start/running\n":                                       0,
		"x (eth0) start/running, process 9\n":                     9,
		"x start/post-start, process 5\n\tpost-start process 6\n": 0,
		"x start/running, process 5\n\tpost-start process 6\n":    5,
		"initctl: Unknown job: x start/running, process\n":        0,
	} {
		if got := mainProcess(status); got != want {
			t.Errorf("%q: %d, want %d", status, got, want)
		}
	}
}

func TestDescendants(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 100 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(child, syscall.SIGKILL)
	if got := descendants(cmd.Process.Pid); !slices.Equal(got, []int{cmd.Process.Pid, child}) {
		t.Errorf("%v, want the shell %d and its child %d", got, cmd.Process.Pid, child)
	}
}

// TestLook: a process that somebody traces, and one that nobody does.
func TestLook(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("sleep", "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if traced, tracers := look([]int{os.Getpid(), cmd.Process.Pid}); !traced || tracers {
		t.Errorf("traced %v, tracers %v", traced, tracers)
	}
	if traced, tracers := look([]int{os.Getpid()}); traced || tracers {
		t.Errorf("alone: traced %v, tracers %v", traced, tracers)
	}
}
