package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// files is how many files the application of the test makes, each of another name.
const files = 1500

// A probe is killed while events come, and another one starts in its place: every event is at one of the two, because
// the tracer sends again what was not acknowledged.
func TestAProbeThatRestartsMissesNothing(t *testing.T) {
	first, err := recorder.Start(ours)
	if err != nil {
		t.Fatal(err)
	}
	script := `i=0; while [ $i -lt ` + strconv.Itoa(files) + ` ]; do : >f$i; i=$((i+1)); [ $((i % 100)) -ne 0 ] || sleep 0.1; done; exit 4`
	app := exec.Command(program(t, "cws-instrumentation"), "trace", "--disable-proc-scan", "--probe-addr", first.Addr(), "--", "/bin/sh", "-c", script)
	app.Dir = t.TempDir()
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	if err := first.WaitEvent(leaveLimit, made("f300")); err != nil {
		t.Fatal(err)
	}
	first.Abort()
	time.Sleep(300 * time.Millisecond)
	second, err := recorder.StartAt(first.Addr(), ours, event.Everything)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	app.Wait()
	if code := app.ProcessState.ExitCode(); code != 4 {
		t.Errorf("the application ended with %d", code)
	}
	if err := second.WaitGone(leaveLimit); err != nil {
		t.Error(err)
	}
	if hellos := second.Hellos(); len(hellos) != 1 || hellos[0].Mode != event.Wrapped {
		t.Errorf("the second probe was greeted with %+v", hellos)
	}
	seen := map[string]bool{}
	for _, e := range append(first.Events(), second.Events()...) {
		if e.Kind == event.Open {
			seen[filepath.Base(e.File.Path)] = true
		}
	}
	var missing []string
	for i := range files {
		if name := "f" + strconv.Itoa(i); !seen[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d of %d are missing: %.200s", len(missing), files, strings.Join(missing, " "))
	}
}

func made(name string) func(*event.Event) bool {
	return func(e *event.Event) bool { return e.Kind == event.Open && filepath.Base(e.File.Path) == name }
}

// No probe is there when the application is started. It waits, says so, and starts without when the time is over; a probe
// that comes later gets every event from the first on.
func TestAProbeThatComesLateMissesNothing(t *testing.T) {
	placeholder, err := recorder.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := placeholder.Addr()
	placeholder.Close()
	app := exec.Command(program(t, "cws-instrumentation"), "trace", "--disable-proc-scan", "--wait", "1s", "--probe-addr", addr, "--",
		"/bin/sh", "-c", ": >early; sleep 2; exit 3")
	app.Dir = t.TempDir()
	var stderr strings.Builder
	app.Stderr = &stderr
	begin := time.Now()
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	late, err := recorder.StartAt(addr, ours, event.Everything)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := late.WaitEvent(leaveLimit, made("early")); err != nil {
		t.Error(err)
	}
	app.Wait()
	if code := app.ProcessState.ExitCode(); code != 3 || time.Since(begin) < 3*time.Second {
		t.Errorf("the application ended with %d after %v", code, time.Since(begin))
	}
	for _, part := range []string{"waiting for the probe at " + addr, "starts without it"} {
		if !strings.Contains(stderr.String(), part) {
			t.Errorf("standard error lacks %q: %q", part, stderr.String())
		}
	}
}

// With --async the application starts at once. What finds no room while no probe comes is counted: in the log, and in what
// the probe is told when it does come.
func TestWhatAFullRingDropsIsCounted(t *testing.T) {
	placeholder, err := recorder.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	addr := placeholder.Addr()
	placeholder.Close()
	dir := t.TempDir()
	deep := filepath.Join(dir, strings.Repeat(strings.Repeat("d", 200)+"/", 17)) // 16 MiB of events are few
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	stderr, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	const opens = 7000
	app := exec.Command(program(t, "cws-instrumentation"), "trace", "--disable-proc-scan", "--async", "--probe-addr", addr, "--",
		"/bin/sh", "-c", fmt.Sprintf(`i=0; while [ $i -lt %d ]; do : >%s/x; i=$((i+1)); done; : >full; while [ ! -e go ]; do sleep 0.1; done; : >after; exit 3`, opens, deep))
	app.Dir, app.Stderr = dir, stderr
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	defer app.Process.Kill()
	awaitFile(t, filepath.Join(dir, "full"))
	late, err := recorder.StartAt(addr, ours, event.Everything)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	for begin := time.Now(); late.Dropped() == 0 && time.Since(begin) < leaveLimit; {
		time.Sleep(10 * time.Millisecond)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := late.WaitEvent(leaveLimit, made("after")); err != nil {
		t.Error(err)
	}
	app.Wait()
	if code := app.ProcessState.ExitCode(); code != 3 {
		t.Errorf("the application ended with %d", code)
	}
	came := uint64(0)
	for _, e := range late.Events() {
		if e.Kind == event.Open && filepath.Base(e.File.Path) == "x" {
			came++
		}
	}
	if dropped := late.Dropped(); dropped == 0 || came == 0 || came+dropped < opens {
		t.Errorf("%d of %d events came, and %d were told of as dropped", came, opens, dropped)
	}
	if text, _ := os.ReadFile(stderr.Name()); !strings.Contains(string(text), "events were dropped because 16 MiB of them wait for the probe") {
		t.Errorf("the log says %q", text)
	}
}

func awaitFile(t *testing.T, name string) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < leaveLimit; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
	}
	t.Fatalf("%s did not appear within %v", name, leaveLimit)
}
