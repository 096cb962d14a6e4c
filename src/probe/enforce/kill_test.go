package enforce

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// sleeper starts a process that would run for long, from a copy of sleep(1) called name.
func sleeper(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	text, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd
}

func killer(t *testing.T, exclude ...string) *Killer {
	t.Helper()
	k, err := NewKiller("", exclude)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func target(pid int) Target {
	return Target{NSID: new(procfs.Reader).PIDNamespace(), PID: uint32(pid), Since: uint64(time.Now().UnixNano())}
}

func TestKillEndsAProcess(t *testing.T) {
	cmd := sleeper(t, "miner")
	k := killer(t)
	told, err := k.Kill([]Target{target(cmd.Process.Pid)}, unix.SIGKILL)
	if err != nil || len(told) != 1 || told[0].PID != cmd.Process.Pid {
		t.Fatalf("told %v, %v", told, err)
	}
	if !k.Wait(told, 5*time.Second) {
		t.Error("it is said to live")
	}
	state, _ := cmd.Process.Wait()
	if state.Sys().(interface{ Signal() unix.Signal }).Signal() != unix.SIGKILL {
		t.Errorf("it ended by %v", state)
	}
}

func TestWhatMustLiveIsNotKilled(t *testing.T) {
	keep, ssh := sleeper(t, "keep"), sleeper(t, "sshd")
	tracer := sleeper(t, "cws-instrumentation")
	ours := os.Getuid() == 0
	for _, c := range []struct {
		name    string
		pid     int
		because string
		when    bool
	}{
		{"init", 1, "pid 1", true},
		{"the probe", os.Getpid(), "the probe", true},
		{"an ancestor of the probe", os.Getppid(), "an ancestor of", os.Getppid() > 1},
		{"an excluded program", keep.Process.Pid, "protected", true},
		{"the ssh server", ssh.Process.Pid, "the ssh server", ours},
		{"a tracer", tracer.Process.Pid, "a tracer", ours},
	} {
		if !c.when {
			t.Logf("SKIPPED %s: needs root, and a parent other than init", c.name)
			continue
		}
		other := sleeper(t, "other")
		told, err := killer(t, filepath.Dir(keep.Path)+"/*").Kill([]Target{target(other.Process.Pid), target(c.pid)}, unix.SIGCONT)
		if err == nil || !strings.Contains(err.Error(), c.because) || len(told) != 0 {
			t.Errorf("%s: told %v, %v; want nobody, and %q", c.name, told, err, c.because)
		}
	}
}

// Whoever may choose a file's name can't choose its owner.
func TestNobodyHidesUnderAProtectedName(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: giving a file away needs root")
	}
	for _, name := range []string{"sshd", "cws-instrumentation"} {
		cmd := sleeper(t, name)
		if err := os.Chown(cmd.Path, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		if told, err := killer(t).Kill([]Target{target(cmd.Process.Pid)}, unix.SIGKILL); err != nil || len(told) != 1 {
			t.Errorf("%s: told %v, %v", name, told, err)
		}
	}
}

func TestAProcessThatCameLaterIsAnother(t *testing.T) {
	cmd := sleeper(t, "later")
	past := target(cmd.Process.Pid)
	past.Since -= 10e9
	if told, err := killer(t).Kill([]Target{past}, unix.SIGKILL); err == nil || len(told) > 0 {
		t.Errorf("told %v, %v", told, err)
	}
}

func TestAnUnknownNamespaceIsRefused(t *testing.T) {
	elsewhere := target(os.Getpid())
	elsewhere.NSID = 1
	_, err := killer(t).Kill([]Target{elsewhere}, unix.SIGCONT)
	if err == nil || !strings.Contains(err.Error(), "--pid host") {
		t.Errorf("%v", err)
	}
}

// The process is pid 1 for its tracer, and something else here.
func TestAProcessOfAnInnerNamespaceIsFound(t *testing.T) {
	cmd := exec.Command("/bin/sleep", "1000")
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	if err := cmd.Start(); err != nil {
		t.Skip("SKIPPED: no pid namespace can be made: ", err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	inner := Target{NSID: new(procfs.Reader).NamespaceOf(cmd.Process.Pid), PID: 1, Since: uint64(time.Now().UnixNano())}
	told, err := killer(t).Kill([]Target{inner}, unix.SIGKILL)
	if err != nil || len(told) != 1 || told[0].PID != cmd.Process.Pid {
		t.Errorf("told %v, %v", told, err)
	}
}

func TestARuleThatKillsTooManyIsDisarmed(t *testing.T) {
	at := time.Unix(1000, 0)
	d := NewDisarmer(Limits{Containers: Limit{1, time.Minute}, Executables: Limit{2, time.Minute}, Processes: Limit{3, time.Minute}})
	all := Limited{Containers: true, Executables: true}
	steps := []struct {
		container, executable, process string
		limited                        Limited
		after                          time.Duration
		by                             string
	}{
		{"", "/a", "1", all, 0, ""},
		{"", "/b", "2", all, 0, ""},
		{"", "/c", "3", all, 0, "executable"},
		{"", "/c", "3", Limited{}, 0, ""}, // switched off in the rule
		{"", "/a", "4", all, 0, "process"},
		{"c1", "/a", "1", all, 0, ""}, // the same again is no more
		{"c2", "/a", "1", all, 0, "container"},
		{"c2", "/a", "4", all, 61 * time.Second, ""},
	}
	for i, s := range steps {
		at = at.Add(s.after)
		if by, ok := d.Allow(s.container, s.executable, s.process, s.limited, at); by != s.by || ok != (s.by == "") {
			t.Errorf("step %d: held back by %q, want %q", i, by, s.by)
		}
	}
}
