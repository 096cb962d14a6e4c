package tests

import (
	"bytes"
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
	dir, err := publicDir("built")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
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
	if _, err := os.Stat(filepath.Join("../src/cmd", name, "main.go")); err != nil {
		skip(t, "there is no command "+name)
	}
	dir := filepath.Join(built.dir, "bin")
	file := filepath.Join(dir, name)
	if err := once(file, "make", "-s", "-C", "..", "BIN="+dir, name); err != nil {
		t.Fatal(err)
	}
	return file
}

// bits says how a tracee is compiled.
type bits string

const (
	native   bits = "native"
	narrow32 bits = "32-bit"
)

var compilerFlags = map[bits][]string{native: nil, narrow32: {"-m32"}}

// tracee gives a test program of tests/tracees, and puts the leaf beside it, which most execute.
func tracee(t *testing.T, name string, as bits) string {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		skip(t, "no gcc: "+err.Error())
	}
	if !compiles(as) {
		skip(t, "gcc makes no static "+string(as)+" programs here (apt-get install gcc-multilib libc6-dev)")
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
	command := []string{"gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread"}
	command = append(command, compilerFlags[as]...)
	return append(command, "-o", traceeFile(name, as), filepath.Join("tracees", name+".c"))
}

func compiles(as bits) bool {
	file := traceeFile("empty", as)
	source := filepath.Join(built.dir, "empty.c")
	if err := os.WriteFile(source, []byte("#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n"), 0o644); err != nil {
		return false
	}
	return once(file, append(append([]string{"gcc", "-static"}, compilerFlags[as]...), "-o", file, source)...) == nil
}

// skip leaves a test out, but not where everything must be there to run it.
func skip(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal("not skipped on CI: " + reason)
	}
	t.Skip(reason)
}
