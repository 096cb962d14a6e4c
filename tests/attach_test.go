package tests

import (
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
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// working is a worker of tests/loads under way, whose account is judged when it has ended.
type working struct {
	*exec.Cmd
	out *os.File
}

func work(t *testing.T) *working {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	w := &working{exec.Command(load(t, "worker"), "3600"), out}
	w.Stdout, w.Stderr = out, out
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

// judge ends the worker: no call of it may have failed.
func (w *working) judge(t *testing.T) {
	t.Helper()
	time.Sleep(time.Second) // what was done to it last shows in what it does then
	w.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(2*time.Minute, func() { w.Process.Kill() })
	defer timer.Stop()
	if err := w.Wait(); err != nil || !strings.HasSuffix(lastLine(output(w.out)), " 0 failed") {
		t.Errorf("the worker: %v\n%.2000s", err, output(w.out))
	}
	t.Log(lastLine(output(w.out)))
}

// attach starts a tracer for a worker and returns when its events come.
func attach(t *testing.T, w *working, flags ...string) *running {
	t.Helper()
	probe, err := recorder.Start(ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { probe.Close() })
	pid := w.Process.Pid
	arguments := append([]string{"trace", "--probe-addr", probe.Addr(), "--pid", strconv.Itoa(pid)}, flags...)
	r := start(t, "/", nil, os.Geteuid(), program(t, "cws-instrumentation"), arguments...)
	for _, kind := range []event.Kind{event.Exec, event.Fork, event.Open} {
		if err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.Kind == kind }); err != nil {
			t.Fatalf("%v of pid %d: %v\n%s", kind, pid, err, r.stderr.String())
		}
	}
	return r
}

// detach asks a tracer to leave.
func detach(t *testing.T, r *running, signal syscall.Signal) {
	t.Helper()
	r.command.Process.Signal(signal)
	if o := r.wait(t); o.status != 0 {
		t.Errorf("asked by %v to leave, the tracer ended with %#x: %s", signal, o.status, o.stderr)
	}
}

// rounds is how often a tracer comes and leaves.
func rounds() int {
	if testing.Short() {
		return 3
	}
	return 15
}

// Tracers come and leave while a program works. No call of it fails, and no tracer is left.
func TestAttachAndDetachLeaveAProgramAsItWas(t *testing.T) {
	w := work(t)
	for i := range rounds() {
		detach(t, attach(t, w), []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}[i%2])
		if tracer := tracerOf(w.Process.Pid); tracer != 0 {
			t.Errorf("after round %d it is traced by pid %d", i, tracer)
		}
	}
	w.judge(t)
}

// A filter stays in a program, so a holder stays with it: no call fails, and the next tracer takes over with the filter that
// is there.
func TestAFilterIsHeldAndTakenOver(t *testing.T) {
	w := work(t)
	pid := w.Process.Pid
	first := 0
	for i := range rounds() {
		r := attach(t, w, "--install-filter")
		awaitFilter(t, pid)
		loop := tracerOf(pid)
		if i == 0 {
			first = loop
		} else if loop != first {
			t.Errorf("round %d: pid %d traces and not the holder, pid %d", i, loop, first)
		}
		detach(t, r, syscall.SIGTERM)
		if name := field(first, "Name:"); tracerOf(pid) != first || name != "cws-holder" {
			t.Errorf("after round %d pid %d named %q holds it", i, tracerOf(pid), name)
		}
	}
	if count := field(pid, "Seccomp_filters:"); count != "1" && count != "" { // Linux 5.9
		t.Errorf("it has %s filters", count)
	}
	w.judge(t)
	awaitEnd(t, first)
}

// One command brings a tracer for each process, and later takes the place of each one's holder.
func TestSeveralHoldersAreTakenOverAtOnce(t *testing.T) {
	a, b := work(t), work(t)
	first, second := a.Process.Pid, b.Process.Pid
	var loops [2]int
	for i := range rounds() {
		r := attach(t, a, "--pid", strconv.Itoa(second), "--pid-per-tracer", "1", "--install-filter")
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("round %d: %s", i, r.stderr.String())
			}
		})
		for _, pid := range []int{first, second} {
			awaitFilter(t, pid)
			awaitTracer(t, pid, func(loop int) bool { return field(loop, "Name:") == "cws-loop" })
		}
		now := [2]int{tracerOf(first), tracerOf(second)}
		if i == 0 {
			loops = now
		}
		if now != loops || now[0] == now[1] {
			t.Errorf("round %d: the loops are %v, at first they were %v", i, now, loops)
		}
		detach(t, r, syscall.SIGTERM)
		for pid, loop := range map[int]int{first: loops[0], second: loops[1]} {
			if name := field(loop, "Name:"); tracerOf(pid) != loop || name != "cws-holder" {
				t.Errorf("after round %d pid %d is held by pid %d named %q", i, pid, tracerOf(pid), name)
			}
		}
	}
	a.judge(t)
	b.judge(t)
	awaitEnd(t, loops[0])
	awaitEnd(t, loops[1])
}

// awaitFilter wants a filter to be installed in a process that is attached to.
func awaitFilter(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(leaveLimit); field(pid, "Seccomp:") != "2"; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("pid %d has seccomp mode %s: no filter was installed", pid, field(pid, "Seccomp:"))
		}
	}
}

// awaitEnd wants a process to end, whether or not its parent looks after it.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(leaveLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if s := state(pid); s == "" || strings.HasPrefix(s, "Z") {
			return
		}
	}
	t.Errorf("pid %d is still there: %s", pid, state(pid))
}

// Whichever process of a tracer that has attached is killed, no call fails.
func TestKillsOfAnAttachedTracerDisturbNothing(t *testing.T) {
	for _, flags := range [][]string{nil, {"--install-filter"}} {
		t.Run(strings.Join(flags, " "), func(t *testing.T) {
			count := kills() / 20
			w := work(t)
			pid := w.Process.Pid
			r := attach(t, w, flags...)
			killEach(t, pid, "loop", count)
			r.command.Process.Kill()
			r.wait(t)
			if len(flags) == 0 {
				awaitTracer(t, pid, func(loop int) bool { return loop == 0 })
			} else {
				awaitTracer(t, pid, func(loop int) bool { return loop != 0 && field(loop, "Name:") == "cws-holder" && tracerOf(loop) != 0 })
				killEach(t, pid, "loop", count)
				killEach(t, pid, "guard", count)
				detach(t, attach(t, w, flags...), syscall.SIGTERM)
			}
			w.judge(t)
		})
	}
}

// killEach kills the process in a role as often as asked, and waits each time for its successor.
func killEach(t *testing.T, pid int, role string, count int) {
	t.Helper()
	for i := range count {
		victim := 0
		for deadline := time.Now().Add(leaveLimit); victim == 0 || find(pid, "guard") == 0; victim = find(pid, role) {
			if time.Now().After(deadline) {
				t.Fatalf("kill %d: there is no %s", i, role)
			}
			time.Sleep(time.Millisecond)
		}
		if err := syscall.Kill(victim, syscall.SIGKILL); err != nil {
			t.Errorf("kill %d of the %s: %v", i, role, err)
		}
		awaitTracer(t, pid, func(int) bool { now := find(pid, role); return now != 0 && now != victim })
	}
}

func awaitTracer(t *testing.T, pid int, is func(loop int) bool) {
	t.Helper()
	for deadline := time.Now().Add(leaveLimit); !is(tracerOf(pid)); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("pid %d is traced by pid %d named %q, guarded by %d", pid, tracerOf(pid), field(tracerOf(pid), "Name:"), find(pid, "guard"))
		}
	}
}

// Whoever kills everything in the tracer's control group at once leaves the application with a holder, which lives in the
// application's.
func TestAKillOfTheTracersControlGroupDisturbsNothing(t *testing.T) {
	here := groupHierarchy(t)
	theirs, ours := group(t, here, "application"), group(t, here, "tracer")
	w := work(t)
	pid := w.Process.Pid
	put(t, theirs, pid)
	r := attach(t, w, "--install-filter", "--async")
	loop := tracerOf(pid)
	put(t, ours, r.command.Process.Pid) // later than the loop was started, which has moved by itself
	if !strings.Contains(groupsOf(t, loop), filepath.Base(theirs)) {
		t.Errorf("the loop is in\n%s", groupsOf(t, loop))
	}
	for _, member := range members(t, ours) {
		syscall.Kill(member, syscall.SIGKILL)
	}
	r.wait(t)
	awaitTracer(t, pid, func(loop int) bool { return loop != 0 && tracerOf(loop) != 0 && field(loop, "Name:") == "cws-holder" })
	w.judge(t)
	awaitEnd(t, loop)
}

// groupHierarchy is where groups can be made.
func groupHierarchy(t *testing.T) string {
	t.Helper()
	for _, folder := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		name := filepath.Join(folder, "cws-test-probe")
		if err := os.Mkdir(name, 0o755); err != nil {
			continue
		}
		_, err := os.Stat(filepath.Join(name, "cgroup.procs"))
		os.Remove(name)
		if err == nil {
			return folder
		}
	}
	t.Skip("no control groups can be made here")
	return ""
}

func group(t *testing.T, hierarchy, name string) string {
	t.Helper()
	folder := filepath.Join(hierarchy, "cws-test-"+name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(leaveLimit); os.Remove(folder) != nil && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
	})
	return folder
}

func put(t *testing.T, group string, pid int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		t.Fatal(err)
	}
}

func members(t *testing.T, group string) (pids []int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		pid, _ := strconv.Atoi(word)
		pids = append(pids, pid)
	}
	return pids
}

func groupsOf(t *testing.T, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
