package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// An upgrade puts another file in the program's place, and SIGHUP has both the loop and the guardian become what it holds.
func TestAnUpgradeReachesLoopAndGuardian(t *testing.T) {
	probe, err := recorder.StartAt("127.0.0.1:0", ours, event.SetOf(event.Exec, event.Exit))
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	installed := filepath.Join(t.TempDir(), "cws-instrumentation")
	install := func() {
		if out, err := exec.Command("install", program(t, "cws-instrumentation"), installed).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	install()
	app := exec.Command(installed, "trace", "--disable-proc-scan", "--probe-addr", probe.Addr(), "--", "/bin/sh", "-c", "read line; /bin/true; exit")
	more, err := app.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	pid := app.Process.Pid
	for deadline := time.Now().Add(10 * time.Second); find(pid, "guard") == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	loop, guard := find(pid, "loop"), find(pid, "guard")
	install()
	syscall.Kill(loop, syscall.SIGHUP)
	renewed := func() bool {
		now := find(pid, "guard")
		return now != 0 && now != guard && executes(now, installed) && executes(loop, installed)
	}
	for deadline := time.Now().Add(10 * time.Second); !renewed() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	if !renewed() || find(pid, "loop") != loop {
		t.Errorf("after an upgrade the loop is pid %d (the new file: %v), was %d; the guardian is pid %d (the new file: %v), was %d",
			find(pid, "loop"), executes(loop, installed), loop, find(pid, "guard"), executes(find(pid, "guard"), installed), guard)
	}
	more.Close()
	app.Wait() // read meets the end of its input
	err = probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.Kind == event.Exec && strings.HasSuffix(e.File.Path, "/true") })
	if err != nil {
		t.Errorf("what the application did afterwards was not reported: %v", err)
	}
}

// executes tells whether a process runs the file that has this name now.
func executes(pid int, name string) bool {
	file, err := os.Stat(name)
	exe, exeErr := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && exeErr == nil && os.SameFile(file, exe)
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
	judgePrograms(t, probe, output(out))
}

// judgePrograms wants every program that the worker has executed, each with a number of its own, to have been reported, or to
// be among those that were dropped because no sender lived long enough.
func judgePrograms(t *testing.T, probe *recorder.Recorder, account string) {
	t.Helper()
	executed := 0
	for line := range strings.Lines(account) {
		if count, ok := strings.CutSuffix(line, " programs\n"); ok {
			executed, _ = strconv.Atoi(count)
		}
	}
	seen := map[int]bool{}
	for _, e := range probe.Events() {
		if e.Kind == event.Exec && len(e.Exec.Args) == 3 && e.Exec.Args[1] == "number" {
			number, _ := strconv.Atoi(e.Exec.Args[2])
			seen[number] = true
		}
	}
	t.Logf("%d programs were executed, %d reported, %d events dropped", executed, len(seen), probe.Dropped())
	if missing := executed - len(seen); executed == 0 || missing < 0 || missing > int(probe.Dropped()) {
		t.Errorf("%d programs were not reported", missing)
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
