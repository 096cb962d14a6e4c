package tests

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// workFor is how long a worker has to work beside what its tracer is disturbed for; an emulated machine is slow.
var workFor = 5 * time.Second

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
