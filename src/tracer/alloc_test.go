package tracer

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/ring"
	"golang.org/x/sys/unix"
)

// asTracee makes the test program open, link, rename and unlink files until it is killed.
const asTracee = "TEST_AS_TRACEE"

func init() {
	dir := os.Getenv(asTracee)
	if dir == "" {
		return
	}
	a, b, c := dir+"/a", dir+"/b", dir+"/c"
	for {
		fd, err := unix.Open(a, unix.O_CREAT|unix.O_WRONLY, 0o644)
		if err == nil {
			unix.Close(fd)
		}
		unix.Chmod(a, 0o600)
		unix.Link(a, b)
		unix.Rename(b, c)
		unix.Unlink(c)
		unix.Open("/nonexistent", unix.O_RDONLY, 0)
	}
}

// stopping gives a function that deals with the next stop of a busy tracee, on the calling thread.
func stopping(tb testing.TB) func() {
	tb.Helper()
	runtime.LockOSThread() // tracees belong to a thread; it ends with the test's goroutine
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), asTracee+"="+tb.TempDir())
	if err := child.Start(); err != nil {
		tb.Fatal(err)
	}
	m := memory(tb)
	k := &linux{}
	tb.Cleanup(func() {
		child.Process.Kill()
		for errno := unix.Errno(0); errno == 0; { // its threads are ours to wait for, not only the process
			_, errno = k.Wait()
		}
	})
	l := newLoop(k, newWatch(m, event.All(), false), m)
	if !l.attach(child.Process.Pid, threads) {
		tb.Skipf("attaching is not possible here: %v", unix.Errno(m.Control.Failure))
	}
	return func() {
		stop, errno := l.next()
		if errno != 0 {
			tb.Fatal(errno)
		}
		l.step(stop)
		for at := m.Ring.Start(); ; { // as the sender does, lest the ring be full
			rec, ok, err := m.Ring.Read(at)
			if err != nil {
				tb.Fatal(err)
			}
			if !ok {
				m.Ring.Release(at)
				return
			}
			at = ring.Cursor(rec.Next)
		}
	}
}

// The loop runs without garbage collection, so that nothing stops it: what it allocates is lost for ever.
func TestNoStopAllocates(t *testing.T) {
	next := stopping(t)
	for range 5000 { // threads appear, the pages of the table are touched
		next()
	}
	if allocated := testing.AllocsPerRun(20_000, next); allocated != 0 {
		t.Errorf("%v allocations a stop", allocated)
	}
}

func BenchmarkStop(b *testing.B) {
	next := stopping(b)
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
}
