package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
	"golang.org/x/sys/unix"
)

// What a terminal sends for keys (termios(3)).
const (
	ctrlC         = "\x03"
	ctrlD         = "\x04"
	ctrlZ         = "\x1a"
	ctrlBackslash = "\x1c"
)

const prompt = "prompt> "

// echoer tells the terminal's size whenever it changes, and repeats what is typed. A shell would go on reading before it
// minds a new size. While stty runs the keys for signals are ignored (system(3)), so what is behind its line is awaited.
const echoer = `#!/usr/bin/perl
$| = 1;
sub size { system "stty size"; print "ready\n" }
$SIG{WINCH} = \&size;
size;
while (<STDIN>) { chomp; print "<$_>\n" }
`

// dialogue is what a user does in an interactive shell, and what must be there before the next is done.
var dialogue = []struct {
	does  string
	typed string
	rows  uint16 // resizes the terminal before anything is typed
	shows string
}{
	{does: "start", typed: "work\n", shows: "24 80\r\nready\r\n"},
	{does: "type", typed: "one\n", shows: "<one>"},
	{does: "resize", rows: 40, shows: "40 80\r\nready\r\n"},
	{does: "stop", typed: ctrlZ, shows: `Stopped +work\r\n` + prompt},
	{does: "status when stopped", typed: "echo status $?\n", shows: "status 148\r\n" + prompt},
	{does: "resume", typed: "fg\n", shows: "\nwork\r\n"},
	{does: "type after resuming", typed: "two\n", shows: "<two>"},
	{does: "interrupt", typed: ctrlC, shows: prompt},
	{does: "status when interrupted", typed: "echo status $?\n", shows: "status 130\r\n" + prompt},
	{does: "start again", typed: "work\n", shows: "40 80\r\nready\r\n"},
	{does: "quit", typed: ctrlBackslash, shows: "Quit.*\n" + prompt},
	{does: "status when quit", typed: "echo status $?\n", shows: "status 131\r\n" + prompt},
	{does: "read in the background", typed: "work & until jobs -s | grep -q .; do sleep 0.02; done\n", shows: "40 80\r\nready\r\n(?s:.*)" + prompt},
	{does: "bring it to the foreground", typed: "fg\n", shows: "\nwork\r\n"},
	{does: "type then", typed: "three\n", shows: "<three>"},
	{does: "end the input", typed: ctrlD, shows: prompt},
	{does: "status when ended", typed: "echo status $?\n", shows: "status 0\r\n" + prompt},
	{does: "start for the hang-up", typed: "work\n", shows: "40 80\r\nready\r\n"},
}

// TestTerminal holds a shell on a terminal, with the program traced, against the same with the program alone: the
// transcripts are equal, and a hang-up ends everything.
func TestTerminal(t *testing.T) {
	for _, needed := range []string{"bash", "stty", "perl"} {
		if _, err := exec.LookPath(needed); err != nil {
			skip(t, err.Error())
		}
	}
	probe, err := recorder.Start(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	bare, bareEnd := converse(t)
	tracer := []string{program(t, "cws-instrumentation"), "trace", "--probe-addr", probe.Addr(), "--disable-proc-scan"}
	traced, tracedEnd := converse(t, append(append(tracer, ways[silent()]...), "--")...)
	if bare != traced {
		t.Errorf("the terminal showed\n%s\ntraced it showed\n%s", bare, traced)
	}
	if bareEnd != tracedEnd {
		t.Errorf("the shell ended with wait status %#x, traced %#x", bareEnd, tracedEnd)
	}
	if err := probe.WaitGone(leaveLimit); err != nil {
		t.Error("after the hang-up: ", err)
	}
	if err := probe.WaitEvent(0, func(e *event.Event) bool { return e.Kind == event.Exec && strings.HasSuffix(e.File.Path, "/stty") }); err != nil {
		t.Error("nothing was seen of the program: ", err)
	}
}

// converse has the dialogue with a shell whose command work is the echoer behind what is given.
func converse(t *testing.T, before ...string) (transcript string, end syscall.WaitStatus) {
	t.Helper()
	dir := t.TempDir()
	script := filepath.Join(dir, "echoer")
	executable(t, script, echoer)
	executable(t, filepath.Join(dir, "work"), "#!/bin/sh\nulimit -c 0\nexec "+strings.Join(append(before, script), " ")+"\n")
	tty := openTerminal(t)
	defer tty.master.Close()
	shell := exec.Command("bash", "--norc", "--noprofile", "--noediting", "-i")
	shell.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "PS1=" + prompt, "HISTFILE=/dev/null", "LC_ALL=C"}
	shell.Stdin, shell.Stdout, shell.Stderr = tty.slave, tty.slave, tty.slave
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	tty.slave.Close()
	timer := time.AfterFunc(runLimit, func() { shell.Process.Kill() })
	defer timer.Stop()
	tty.await(t, "start the shell", prompt)
	for _, step := range dialogue {
		if step.rows > 0 {
			tty.awaitReader(t)
			tty.resize(t, step.rows)
		}
		if _, err := tty.master.WriteString(step.typed); err != nil {
			t.Fatal(err)
		}
		tty.await(t, step.does, step.shows)
	}
	tty.master.Close()
	shell.Wait()
	return jobNumber.ReplaceAllString(tty.shown.String(), "[1] N"), shell.ProcessState.Sys().(syscall.WaitStatus)
}

// jobNumber is the process id that a shell names when it starts a job.
var jobNumber = regexp.MustCompile(`\[1\] \d+`)

// terminal is a pair of pty(7), and all that it has shown.
type terminal struct {
	master, slave *os.File
	fd            int // of the master
	shown         strings.Builder
	matched       int // of what is shown, by what was awaited before
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal("open a terminal: ", err)
	}
	tty := &terminal{master: os.NewFile(uintptr(fd), "/dev/ptmx"), fd: fd}
	tty.resize(t, 24)
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		tty.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal("open a terminal: ", err)
	}
	return tty
}

func (tty *terminal) resize(t *testing.T, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(tty.fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: 80}); err != nil {
		t.Fatal("resize a terminal: ", err)
	}
}

// awaitReader waits until the foreground process sleeps in its read(2): perl minds a signal that comes just before only when
// that has ended.
func (tty *terminal) awaitReader(t *testing.T) {
	t.Helper()
	pid, err := unix.IoctlGetInt(tty.fd, unix.TIOCGPGRP)
	if err != nil {
		t.Fatal("ask for the foreground process: ", err)
	}
	for deadline := time.Now().Add(leaveLimit); !strings.HasPrefix(state(pid), "S"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the foreground process, %d, does not read (state %q)", pid, state(pid))
		}
	}
}

// await reads on until what a pattern describes is shown after all that was awaited before.
func (tty *terminal) await(t *testing.T, does, pattern string) {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	tty.master.SetReadDeadline(time.Now().Add(leaveLimit))
	for piece := make([]byte, 4096); ; {
		if at := wanted.FindStringIndex(tty.shown.String()[tty.matched:]); at != nil {
			tty.matched += at[1]
			return
		}
		n, err := tty.master.Read(piece)
		if err != nil {
			t.Fatalf("%s: %v instead of %q; the terminal showed\n%s", does, err, pattern, tty.shown.String())
		}
		tty.shown.Write(piece[:n])
	}
}

func executable(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
