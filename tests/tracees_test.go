package tests

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/expect"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// mode is a way to trace.
type mode struct {
	name   string
	as     bits
	flags  []string
	attach bool
	nobody bool          // tracer and tracee without any privilege
	answer *event.Answer // nil: a probe such as Datadog's, which knows nothing of our kinds
}

var ours = &event.Answer{Interest: &event.Interest{Kinds: event.Everything}}

var modes = []mode{
	{name: "seccomp", as: native},
	{name: "seccomp, our probe", as: native, answer: ours},
	{name: "every call", as: native, flags: []string{"--disable-seccomp"}},
	{name: "attach", as: native, attach: true},
	{name: "attach, filter", as: native, attach: true, flags: []string{"--install-filter"}, answer: ours},
	{name: "32-bit, attach, filter", as: narrow32, attach: true, flags: []string{"--install-filter"}},
	{name: "attach, every call", as: native, attach: true, flags: []string{"--disable-seccomp"}},
	{name: "unprivileged", as: native, nobody: true, answer: ours},
	{name: "unprivileged, attach", as: native, nobody: true, attach: true},
	{name: "32-bit", as: narrow32},
	{name: "32-bit, every call", as: narrow32, flags: []string{"--disable-seccomp"}},
}

// Time limits are for what never ends; a machine under load takes long, an emulated one longer.
var (
	runLimit   = 60 * time.Second
	leaveLimit = 15 * time.Second
)

// ourKinds have no place in Datadog's protocol.
var ourKinds = event.SetOf(event.Ptrace, event.Signal)

func (m mode) judged() event.Set {
	if m.answer == nil {
		return event.Everything &^ ourKinds
	}
	return event.Everything
}

func (m mode) installs() bool { return slices.Contains(m.flags, "--install-filter") }

func TestTracees(t *testing.T) {
	names := sources("tracees")
	if len(names) == 0 {
		t.Fatal("no tracees")
	}
	tracer := program(t, "cws-instrumentation")
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			if err := runs(m.as); err != nil {
				skip(t, "no "+string(m.as)+" programs run here: "+err.Error())
			}
			if m.installs() && field(os.Getpid(), "Seccomp:") == "" {
				skip(t, "the kernel has no seccomp filters, or does not tell of them (Linux 3.8)")
			}
			for _, name := range names {
				t.Run(name, func(t *testing.T) { m.try(t, tracer, name) })
			}
		})
	}
}

// try runs one tracee and judges what was reported of it.
func (m mode) try(t *testing.T, tracer, name string) {
	t.Parallel()
	file := tracee(t, name, m.as)
	probe, err := recorder.Start(m.answer)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	r := m.run(t, tracer, file, probe)
	if err := probe.WaitGone(leaveLimit); err != nil {
		t.Error(err)
	}
	r.judge(t, m, probe)
}

// outcome is what a run left, as seen by who started it.
type outcome struct {
	pid    uint32
	status syscall.WaitStatus
	stdout string
	stderr string
}

func (m mode) run(t *testing.T, tracer, file string, probe *recorder.Recorder) outcome {
	t.Helper()
	dir, err := publicDir("tracee")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, m.user(), m.user()); err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"trace", "--probe-addr", probe.Addr(), "--disable-proc-scan"}, m.flags...)
	if m.attach {
		return m.attached(t, tracer, arguments, file, dir, probe)
	}
	return start(t, dir, nil, m.user(), tracer, append(arguments, "--", file)...).wait(t)
}

// user is who runs tracer and tracee.
func (m mode) user() int {
	if m.nobody && os.Geteuid() == 0 {
		return nobody
	}
	return os.Geteuid()
}

const nobody = 65534

// running is a command under way. Its output goes through a pipe that is read to the end, so that processes which outlive
// the first are waited for too.
type running struct {
	command *exec.Cmd
	stdin   *os.File
	output  chan string
	stderr  bytes.Buffer
}

func start(t *testing.T, dir string, env []string, user int, name string, arguments ...string) *running {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{command: exec.Command(name, arguments...), stdin: ours, output: make(chan string, 1)}
	r.command.Dir, r.command.Env = dir, append(os.Environ(), env...)
	r.command.Stdin, r.command.Stdout, r.command.Stderr = theirs, write, &r.stderr
	if user != os.Geteuid() {
		id := uint32(user)
		r.command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	}
	err = r.command.Start()
	write.Close()
	theirs.Close()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		var all bytes.Buffer
		all.ReadFrom(read)
		read.Close()
		r.output <- all.String()
	}()
	return r
}

func (r *running) wait(t *testing.T) outcome {
	t.Helper()
	defer r.stdin.Close()
	// The tracer holds the standard error until the last traced process has ended: that wait has its own limit.
	r.command.WaitDelay = leaveLimit
	timer := time.AfterFunc(runLimit, func() { r.command.Process.Kill() })
	err := r.command.Wait()
	if !timer.Stop() {
		t.Errorf("killed after %v", runLimit)
	}
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Error(err)
	}
	o := outcome{pid: uint32(r.command.Process.Pid), stderr: r.stderr.String()}
	o.status, _ = r.command.ProcessState.Sys().(syscall.WaitStatus)
	select {
	case o.stdout = <-r.output:
	case <-time.After(leaveLimit):
		t.Error("processes still hold the standard output")
	}
	return o
}

// attached starts the program, attaches the tracer, and then lets the program go on.
func (m mode) attached(t *testing.T, tracer string, arguments []string, file, dir string, probe *recorder.Recorder) outcome {
	t.Helper()
	target := start(t, dir, []string{"TRACEE_WAIT=1"}, m.user(), file)
	pid := target.command.Process.Pid
	watcher := start(t, dir, nil, m.user(), tracer, append(arguments, "--pid", strconv.Itoa(pid))...)
	err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool {
		return e.Kind == event.Exec && e.PID == uint32(pid) && e.Exec.FromProcFS
	})
	if err != nil {
		t.Errorf("attach: %v", err)
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err == nil &&
		regexp.MustCompile(`TracerPid:\s+0\n`).Match(status) {
		t.Error("attach: reported, but not attached to")
	}
	if m.installs() {
		awaitFilter(t, pid)
	}
	if _, err := target.stdin.WriteString("g"); err != nil {
		t.Error(err)
	}
	o := target.wait(t)
	w := watcher.wait(t)
	if w.status != 0 {
		t.Errorf("the tracer ended with %v", w.status)
	}
	o.stderr += w.stderr
	return o
}

// judge compares what the processes said with what the probe was told.
func (o outcome) judge(t *testing.T, m mode, probe *recorder.Recorder) {
	t.Helper()
	report, err := expect.Parse(o.stdout)
	if err != nil {
		t.Error(err)
	}
	for _, reason := range report.Skips {
		t.Log("left out: " + reason)
	}
	if err := probe.Err(); err != nil {
		t.Error(err)
	}
	o.judgeStatus(t, report)
	const most = 12
	complaints := expect.Compare(report, probe.Events(), m.judged())
	for i, complaint := range complaints {
		if i == most {
			t.Errorf("and %d more", len(complaints)-most)
			break
		}
		t.Errorf("%.700s", complaint)
	}
	if t.Failed() {
		t.Logf("standard error:\n%.2000s", o.stderr)
	}
	if t.Failed() && testing.Verbose() {
		t.Logf("it said:\n%s", o.stdout)
		for _, e := range probe.Events() {
			t.Log("reported: " + expect.Describe(&e))
		}
	}
}

// judgeStatus wants the first process to be the application, under its own pid and with its own end.
func (o outcome) judgeStatus(t *testing.T, report expect.Report) {
	t.Helper()
	for _, l := range report.Lines {
		if l.PID != o.pid || l.Kind != event.Exit {
			continue
		}
		for _, a := range l.Attributes {
			if a.Key == "code" && a.Value != strconv.Itoa(o.status.ExitStatus()) {
				t.Errorf("ended with %v, said %s", o.status, l.Text)
			}
		}
		return
	}
	t.Errorf("process %d ended with wait status %#x and didn't announce it; standard error: %.500s", o.pid, o.status, o.stderr)
}

// TestTraceesRunUntraced holds the programs themselves to what they say: no tracer, no failure.
func TestTraceesRunUntraced(t *testing.T) {
	for _, name := range sources("tracees") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := publicDir("tracee")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			o := start(t, dir, nil, os.Geteuid(), tracee(t, name, native)).wait(t)
			report, err := expect.Parse(o.stdout)
			if err != nil || o.status.ExitStatus() >= 90 {
				t.Errorf("ended with %v: %v\n%s", o.status, err, o.stderr)
			}
			o.judgeStatus(t, report)
		})
	}
}
