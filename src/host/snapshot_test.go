package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestASnapshotHasWhatIsTracedAndWhatIsAbove(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: a tracer's file must be root's")
	}
	sleeper := exec.Command("/bin/sh", "-c", "sleep 1000; :")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { sleeper.Process.Kill(); sleeper.Wait() }()
	has := func() (own, parent int) {
		list := Snapshot("/proc", NewNames())
		at := func(pid int) int {
			return slices.IndexFunc(list, func(r Running) bool { return int(r.Exec.PID) == pid })
		}
		return at(sleeper.Process.Pid), at(os.Getpid())
	}
	if own, _ := has(); own >= 0 {
		t.Fatal("what nobody traces is in it")
	}
	// The test traces under a tracer's name.
	tracer := filepath.Join(t.TempDir(), tracerName)
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(tracer, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tracer, "-test.run", "^TestTraceForAnother$")
	cmd.Env = append(os.Environ(), "TRACE_FOR_ANOTHER="+strconv.Itoa(sleeper.Process.Pid))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	if n, err := out.Read(make([]byte, 1)); n != 1 {
		t.Fatal("it doesn't trace: ", err)
	}
	own, parent := has()
	if own < 0 || parent < 0 || parent > own {
		t.Errorf("the traced process is number %d, its parent %d", own, parent)
	}
}

// TestTraceForAnother is the tracer of the test above.
func TestTraceForAnother(t *testing.T) {
	pid := os.Getenv("TRACE_FOR_ANOTHER")
	if pid == "" {
		t.Skip("it is run by another test")
	}
	number, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	if err := unix.PtraceSeize(number); err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("x")
	os.Stdin.Read(make([]byte, 1))
}
