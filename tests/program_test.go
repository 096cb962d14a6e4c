package tests

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built holds everything that the tests build; it lasts as long as the test program and others may read it, because
// traced programs give up root.
var built = struct {
	dir  string
	lock sync.Mutex
	done map[string]error
}{done: map[string]error{}}

func TestMain(m *testing.M) {
	flag.Parse()
	switch {
	case *prebuild != "":
		built.dir = *prebuild
		exitOn(buildAll())
		os.Exit(0)
	case *prebuilt != "":
		built.dir = *prebuilt
		runLimit, leaveLimit, workFor = 5*runLimit, 5*leaveLimit, 2*workFor
		os.Exit(m.Run())
	}
	dir, err := publicDir("built")
	exitOn(err)
	built.dir = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// publicDir makes a directory that every user may enter, under a name without symbolic links.
func publicDir(name string) (string, error) {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// once builds a file by a command, or gives the error of the first time.
func once(file string, command ...string) error {
	if *prebuilt != "" {
		_, err := os.Stat(file)
		return err
	}
	built.lock.Lock()
	defer built.lock.Unlock()
	err, again := built.done[file]
	if again {
		return err
	}
	if err = os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
		var output []byte
		output, err = exec.Command(command[0], command[1:]...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("build %q: %w\n%s", file, err, bytes.TrimSpace(output))
		}
	}
	built.done[file] = err
	return err
}

// program gives one of the tree's commands, built from what the tree holds now, with the flags that users get.
func program(t *testing.T, name string) string {
	t.Helper()
	if err := buildProgram(name); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(built.dir, "bin", name)
}

func buildProgram(name string) error {
	dir := filepath.Join(built.dir, "bin")
	return once(filepath.Join(dir, name), "make", "-s", "-C", "..", "BIN="+dir, "GOARCH="+*machine, name)
}

// bits says how a tracee is compiled.
type bits string

const (
	native   bits = "native"
	narrow32 bits = "32-bit"
)

// compilers by GOARCH. Those of arm64 have the names that they have on every Debian machine. The folder is what
// gcc-multilib has a link to, which can't be installed beside compilers for other machines.
var compilers = map[string]map[bits][]string{
	"amd64": {native: {"gcc"}, narrow32: {"gcc", "-m32", "-idirafter", "/usr/include/x86_64-linux-gnu"}},
	"arm64": {native: {"aarch64-linux-gnu-gcc"}, narrow32: {"arm-linux-gnueabihf-gcc"}},
}

// tracee gives a test program of tests/tracees, and puts the leaf beside it, which most execute.
func tracee(t *testing.T, name string, as bits) string {
	t.Helper()
	if err := compiles(as); err != nil {
		skip(t, "no static "+string(as)+" programs can be made here (apt-get install gcc-12-multilib libc6-dev): "+err.Error())
	}
	for _, each := range []string{"leaf", name} {
		if err := once(traceeFile(each, as), compile(each, as)...); err != nil {
			t.Fatal(err)
		}
	}
	return traceeFile(name, as)
}

func traceeFile(name string, as bits) string { return filepath.Join(built.dir, string(as), name) }

func compile(name string, as bits) []string {
	return gcc(as, traceeFile(name, as), filepath.Join("tracees", name+".c"), "-O1", "-Wall", "-Wextra", "-Werror", "-pthread")
}

func gcc(as bits, file, source string, flags ...string) []string {
	command := append([]string{}, compilers[*machine][as]...)
	return append(append(command, "-static", "-o", file, source), flags...)
}

// compiles makes a program that does nothing.
func compiles(as bits) error {
	source := filepath.Join(built.dir, "empty.c")
	if *prebuilt == "" {
		if err := os.WriteFile(source, []byte("#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n"), 0o644); err != nil {
			return err
		}
	}
	return once(traceeFile("empty", as), gcc(as, traceeFile("empty", as), source)...)
}

// runs tells whether this kernel executes such programs.
func runs(as bits) error {
	if err := compiles(as); err != nil {
		return err
	}
	return exec.Command(traceeFile("empty", as)).Run()
}

// skip leaves a test out, but not where everything must be there to run it.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("not skipped on CI: " + reason)
	}
	t.Skip(reason)
}
