package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// load gives a program of tests/loads, which makes work and counts what fails.
func load(t *testing.T, name string) string {
	t.Helper()
	if err := compiles(native); err != nil {
		skip(t, "no static programs can be made here: "+err.Error())
	}
	if err := once(loadFile(name), compileLoad(name)...); err != nil {
		t.Fatal(err)
	}
	return loadFile(name)
}

func loadFile(name string) string { return filepath.Join(built.dir, "loads", name) }

func compileLoad(name string) []string {
	return gcc(native, loadFile(name), filepath.Join("loads", name+".c"), "-O2", "-Wall", "-Wextra", "-Werror", "-pthread")
}

// kills is how often each of the tracer's processes is killed; the promise is a thousand times.
func kills() int {
	if testing.Short() {
		return 50
	}
	return 1000
}

// The tracer's processes are killed again and again while an application works. No call of it fails, it stays traced, and
// its last event arrives.
func TestKillsOfTheTracerDisturbNothing(t *testing.T) {
	for _, role := range []string{"loop", "guard"} {
		t.Run(role, func(t *testing.T) {
			disturb(t, kills(), func(pid int) error {
				victim := find(pid, role)
				if victim == 0 {
					return errNoVictim
				}
				return syscall.Kill(victim, syscall.SIGKILL)
			})
		})
	}
}

// A loop that is killed as soon as it can be seen, before or after it says that it traces, has a successor, too.
func TestALoopThatIsKilledAtOnceIsReplaced(t *testing.T) {
	early := 0
	for range 50 {
		probe, err := recorder.StartAt("127.0.0.1:0", ours, event.SetOf(event.Exec, event.Exit))
		if err != nil {
			t.Fatal(err)
		}
		app := exec.Command(program(t, "cws-instrumentation"), "trace", "--disable-proc-scan", "--probe-addr", probe.Addr(), "--", "/bin/sleep", "0.1")
		out, err := os.CreateTemp(t.TempDir(), "out")
		if err != nil {
			t.Fatal(err)
		}
		app.Stdout, app.Stderr = out, out
		if err := app.Start(); err != nil {
			t.Fatal(err)
		}
		pid := app.Process.Pid
		for deadline := time.Now().Add(10 * time.Second); find(pid, "loop") == 0 && time.Now().Before(deadline); {
		}
		syscall.Kill(find(pid, "loop"), syscall.SIGKILL)
		if err := app.Wait(); err != nil {
			t.Errorf("the application: %v", err)
		}
		for _, kind := range []event.Kind{event.Exec, event.Exit} {
			if err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.Kind == kind && e.PID == uint32(pid) }); err != nil {
				t.Errorf("no %v was reported: %v\n%s", kind, err, output(out))
			}
		}
		if strings.Contains(output(out), "before it had attached") {
			early++
		}
		probe.Close()
	}
	t.Logf("%d of 50 before it had attached", early)
}

// SIGHUP has the loop executed again in place, as an upgrade does.
func TestRenewalsDisturbNothing(t *testing.T) {
	disturb(t, kills()/5, func(pid int) error {
		loop := find(pid, "loop")
		if loop == 0 {
			return errNoVictim
		}
		before := started(loop)
		if err := syscall.Kill(loop, syscall.SIGHUP); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
		if find(pid, "loop") != loop || started(loop) != before {
			return errors.New("the loop is another process now")
		}
		return nil
	})
}

var errNoVictim = errors.New("no such process yet")

// disturb runs a worker under the tracer, acts count times on its tracer, and judges the worker's own account.
func disturb(t *testing.T, count int, act func(pid int) error) {
	t.Helper()
	probe, err := recorder.StartAt("127.0.0.1:0", ours, event.SetOf(event.Exec, event.Exit))
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	seconds := 5 + count/20
	app := exec.Command(program(t, "cws-instrumentation"), "trace", "--disable-proc-scan", "--probe-addr", probe.Addr(), "--", load(t, "worker"), strconv.Itoa(seconds))
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	app.Stdout, app.Stderr = out, out
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- app.Wait() }()
	pid := app.Process.Pid
	acted, missed := 0, 0
	for acted < count && missed < 500 {
		select {
		case err := <-ended:
			t.Fatalf("the worker ended after %d of %d disturbances: %v\n%s", acted, count, err, output(out))
		case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		}
		switch err := act(pid); {
		case errors.Is(err, errNoVictim), errors.Is(err, syscall.ESRCH):
			missed++
		case err != nil:
			t.Errorf("disturbance %d: %v", acted, err)
			acted = count
		default:
			acted, missed = acted+1, 0
		}
	}
	if acted < count {
		t.Errorf("the tracer could be disturbed %d times only, and did not come back", acted)
	}
	judgeWorker(t, probe, ended, out, pid, time.Duration(seconds+30)*time.Second)
	t.Logf("%d times: %s", acted, lastLine(output(out)))
	if t.Failed() {
		t.Logf("%.6000s", output(out))
	}
}

func judgeWorker(t *testing.T, probe *recorder.Recorder, ended chan error, out *os.File, pid int, limit time.Duration) {
	t.Helper()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the worker: %v\n%s", err, withoutTracer(output(out)))
		}
	case <-time.After(limit):
		syscall.Kill(pid, syscall.SIGKILL)
		t.Fatalf("the worker hangs (state %q)", state(pid))
	}
	if !strings.HasSuffix(lastLine(output(out)), " 0 failed") {
		t.Errorf("the worker says %q", lastLine(output(out)))
	}
	if err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.Kind == event.Exit && e.PID == uint32(pid) }); err != nil {
		t.Errorf("the worker's end was not reported: %v", err)
	}
}

func output(f *os.File) string {
	text, err := os.ReadFile(f.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// withoutTracer leaves what the worker said.
func withoutTracer(text string) string {
	var own []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "cws-instrumentation: ") {
			own = append(own, line)
		}
	}
	return strings.Join(own, "")
}

// lastLine is the worker's: what the tracer says comes in between.
func lastLine(text string) string {
	last := ""
	for line := range strings.Lines(text) {
		if strings.Contains(line, " calls, ") {
			last = strings.TrimSpace(line)
		}
	}
	return last
}

// find gives the process of the tracer of a pid that has a role: the loop is the pid's tracer, the guardian the loop's.
func find(pid int, role string) int {
	loop := tracerOf(pid)
	if loop == 0 || role == "loop" {
		return loop
	}
	return tracerOf(loop)
}

func tracerOf(pid int) int {
	tracer, _ := strconv.Atoi(field(pid, "TracerPid:"))
	return tracer
}

func state(pid int) string { return field(pid, "State:") }

func field(pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// started is the start time of a process in clock ticks since the boot, field 22 of proc(5).
func started(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	after := string(text)[strings.LastIndexByte(string(text), ')')+2:]
	return strings.Fields(after)[19]
}
