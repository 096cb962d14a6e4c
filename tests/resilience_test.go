package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

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
	for _, c := range []struct {
		name, role string
		count      int
		flags      []string
	}{
		{name: "loop", role: "loop", count: kills()},
		{name: "guard", role: "guard", count: kills()},
		{name: "loop, every call", role: "loop", count: kills() / 20, flags: []string{"--disable-seccomp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			disturb(t, max(50, c.count), func(pid int) error {
				victim := find(pid, c.role)
				if victim == 0 {
					return errNoVictim
				}
				return syscall.Kill(victim, syscall.SIGKILL)
			}, c.flags...)
		})
	}
}

// A loop that is killed as soon as it can be seen, before or after it says that it traces, has a successor, too.
func TestALoopThatIsKilledAtOnceIsReplaced(t *testing.T) {
	early, rounds := 0, max(5, kills()/20)
	for range rounds {
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
	t.Logf("%d of %d before it had attached", early, rounds)
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

// Whoever kills the tracer by its name, or by any part of its command line, hits the guardian alone.
func TestKillsByNameDisturbNothing(t *testing.T) {
	for _, pattern := range [][]string{{"cws-instrumenta"}, {"-f", program(t, "cws-instrumentation")}} {
		t.Run(pattern[0], func(t *testing.T) {
			disturb(t, 20, func(pid int) error {
				found, _ := exec.Command("pgrep", pattern...).Output()
				named := strings.Fields(string(found))
				guard, loop := find(pid, "guard"), find(pid, "loop")
				switch {
				case slices.Contains(named, strconv.Itoa(loop)):
					return fmt.Errorf("pgrep %v finds the loop, %d, among %v", pattern, loop, named)
				case !slices.Contains(named, strconv.Itoa(guard)): // the one before has just been killed
					return errNoVictim
				}
				return syscall.Kill(guard, syscall.SIGKILL)
			})
		})
	}
}

// disturb runs a worker under the tracer with some flags, acts count times on its tracer, and judges the worker's own account.
func disturb(t *testing.T, count int, act func(pid int) error, flags ...string) {
	t.Helper()
	probe, err := recorder.StartAt("127.0.0.1:0", ours, event.SetOf(event.Exec, event.Exit))
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	seconds := int(workFor.Seconds()) + count/20
	args := append([]string{"trace", "--disable-proc-scan", "--probe-addr", probe.Addr()}, flags...)
	app := exec.Command(program(t, "cws-instrumentation"), append(args, "--", load(t, "worker"), strconv.Itoa(seconds))...)
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
