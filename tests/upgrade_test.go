package tests

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

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
