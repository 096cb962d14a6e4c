package procfs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/record"
)

// sleeper starts a program that does nothing, with these arguments and variables.
func sleeper(t *testing.T, args, env []string) int {
	t.Helper()
	cmd := exec.Command("/bin/sh", append([]string{"-c", "read x"}, args...)...)
	cmd.Env = env
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	time.Sleep(20 * time.Millisecond) // the child is past its exec
	return cmd.Process.Pid
}

func readProgram(t *testing.T, pid int) (args, envs []string, p record.Program) {
	t.Helper()
	var r Reader
	pr := new(ProgramReader)
	pr.Read(&r, pid, &p)
	list := func(b []byte) []string { return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00") }
	return list(p.Args), list(p.Envs), p
}

func TestValuesAreReportedOnlyForListedVariables(t *testing.T) {
	pid := sleeper(t, []string{"a", "", "b"}, []string{"SECRET=hunter2", "LD_PRELOAD=/tmp/x.so"})
	args, envs, p := readProgram(t, pid)
	if got := fmt.Sprint(args); got != "[/bin/sh -c read x a  b]" {
		t.Errorf("args are %q", got)
	}
	joined := strings.Join(envs, " ")
	if strings.Contains(joined, "hunter2") || !strings.Contains(joined, "SECRET") || !strings.Contains(joined, "LD_PRELOAD=/tmp/x.so") {
		t.Errorf("envs are %q", envs)
	}
	if p.ArgsTruncated || p.EnvsTruncated {
		t.Error("short lists count as truncated")
	}
}

func TestListsAreBounded(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	env := make([]string, 0, 1001)
	for i := range 1000 {
		env = append(env, fmt.Sprintf("V%d=%d", i, i))
	}
	pid := sleeper(t, []string{long, "after"}, append(env, "LD_PRELOAD=/hidden/behind/a/thousand"))
	args, envs, p := readProgram(t, pid)
	if n := len(args[3]); n != maxEntry-1 || !strings.HasSuffix(args[3], "x...") || args[4] != "after" {
		t.Errorf("long argument has %d bytes and is followed by %q", n, args[4:])
	}
	if last := envs[len(envs)-1]; last != "LD_PRELOAD=/hidden/behind/a/thousand" {
		t.Errorf("last variable is %q", last)
	}
	if !p.ArgsTruncated || !p.EnvsTruncated {
		t.Error("cut lists don't say so")
	}
}

func TestExecNameOfThisProcess(t *testing.T) {
	var r Reader
	if r.ExecName(os.Getpid()) == 0 {
		t.Error("no AT_EXECFN")
	}
}

func TestAuxiliaryVectorOf32Bits(t *testing.T) {
	vector := []byte{6, 0, 0, 0, 0, 16, 0, 0, 31, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0, 0}
	if got := auxiliary(vector, executableAt); got != 0x12345678 {
		t.Errorf("got %#x", got)
	}
}

func FuzzLister(f *testing.F) {
	f.Add([]byte("PATH=/bin\x00A=b\x00"), 3)
	f.Add(bytes.Repeat([]byte("x"), 1000), 7)
	f.Fuzz(func(t *testing.T, list []byte, piece int) {
		if piece <= 0 {
			return
		}
		pr := new(ProgramReader)
		l := lister{dst: pr.envs[:0], keep: nameOnly, entry: pr.entry[:0]}
		for len(list) > 0 {
			n := min(piece, len(list))
			l.feed(list[:n])
			list = list[n:]
		}
		if len(l.dst) > maxList {
			t.Fatalf("%d bytes", len(l.dst))
		}
	})
}
