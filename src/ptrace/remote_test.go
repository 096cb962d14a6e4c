package ptrace

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// vdso finds the mapping as procfs does, which stands above this package.
func vdso(t *testing.T, pid int) (start, end uint64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasSuffix(line, " [vdso]\n") {
			fmt.Sscanf(line, "%x-%x", &start, &end)
		}
	}
	return start, end
}

// A program sleeps, is interrupted for calls in its name, and sleeps on: what it prints afterwards and how it ends are its
// own. Signals that arrive in between are delivered.
func TestRemoteCallsLeaveTheProgramAsItWas(t *testing.T) {
	runtime.LockOSThread() // ends with the goroutine, and the tracee's attachment with it
	var out strings.Builder
	cmd := exec.Command("/bin/sh", "-c", `trap 'echo signal' USR1; echo ready >&2; sleep 0.5; sleep 0.5; echo end; exit 3`)
	cmd.Stdout = &out
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr.Read(make([]byte, 10))
	pid := cmd.Process.Pid
	if errno := Seize(pid, unix.PTRACE_O_TRACESYSGOOD); errno != 0 {
		cmd.Process.Kill()
		t.Skipf("attaching is not possible here: %v", errno)
	}
	r := &Remote{TID: pid, Other: func(s Stop) {
		signal := 0
		if s.Reason == SignalStop {
			signal = s.Signal
		}
		if s.Alive() {
			Resume(s.TID, false, signal)
		}
	}}
	time.Sleep(100 * time.Millisecond) // it waits for its child
	if _, err := r.halt(); err != nil {
		t.Fatal(err)
	}
	if err := r.Borrow(vdso(t, pid)); err != nil {
		t.Fatal(err)
	}
	unix.Kill(pid, unix.SIGUSR1)
	getpid, _ := syscalls.NumberOf(r.ABI, "getpid")
	for range 3 {
		if result, err := r.Call(getpid); result != int64(pid) || err != nil {
			t.Errorf("getpid() in process %d gave %d, %v", pid, result, err)
		}
	}
	stop, err := r.Return()
	if err != nil || stop.Reason != Trapped {
		t.Fatalf("it stands at %+v: %v", stop, err)
	}
	for stop.Alive() {
		signal := 0
		if stop.Reason == SignalStop {
			signal = stop.Signal
		}
		Resume(pid, false, signal)
		if stop, err = waitFor(pid); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Wait()
	if out.String() != "signal\nend\n" || stop.Code != 3 {
		t.Errorf("it printed %q and ended with %+v", out.String(), stop)
	}
}

func waitFor(pid int) (Stop, error) {
	for {
		stop, errno := WaitFor(pid)
		if errno == 0 {
			return stop, nil
		}
		if errno != unix.EINTR {
			return stop, errno
		}
	}
}
