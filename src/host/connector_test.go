package host

import (
	"encoding/binary"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/sirupsen/logrus"
	"golang.org/x/net/bpf"
)

// message makes what the kernel sends: the words of event_data follow the header.
func message(what uint32, words ...uint32) []byte {
	m := make([]byte, dataAt+24)
	put := binary.NativeEndian
	put.PutUint32(m[16:], cnIndexProc)
	put.PutUint32(m[20:], cnValueProc)
	put.PutUint32(m[whatAt:], what)
	put.PutUint64(m[timeAt:], 7)
	for i, w := range words {
		put.PutUint32(m[dataAt+4*i:], w)
	}
	return m
}

const procUID = 4 // PROC_EVENT_UID

func TestTheFilterLeavesThreadsToTheKernel(t *testing.T) {
	var instructions []bpf.Instruction
	for _, f := range wanted() {
		instructions = append(instructions, bpf.RawInstruction{Op: f.Code, Jt: f.Jt, Jf: f.Jf, K: f.K}.Disassemble())
	}
	vm, err := bpf.NewVM(instructions)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		m    []byte
		want bool
	}{
		{"answer", message(procNone, 0), true},
		{"fork", message(procFork, 10, 10, 11, 11), true},
		{"thread", message(procFork, 10, 10, 12, 10), false},
		{"exec", message(procExec, 11, 11), true},
		{"exit", message(procExit, 11, 11, 256), true},
		{"thread's exit", message(procExit, 12, 10), false},
		{"change of ids", message(procUID, 11, 11), false},
	} {
		n, err := vm.Run(c.m)
		if err != nil || (n > 0) != c.want {
			t.Errorf("%s: %d bytes, %v; want any: %v", c.name, n, err, c.want)
		}
	}
}

func TestNoticesAreReadAsTheyAreWritten(t *testing.T) {
	for _, c := range []struct {
		m    []byte
		want notice
	}{
		{message(procFork, 10, 10, 11, 11), notice{what: procFork, parent: 10, pid: 11, at: 7}},
		{message(procExec, 11, 11), notice{what: procExec, pid: 11, at: 7}},
		{message(procExit, 11, 11, 9), notice{what: procExit, pid: 11, status: 9, at: 7}},
	} {
		if got, ok := parseNotice(c.m); !ok || got != c.want {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}

func FuzzParseNotice(f *testing.F) {
	f.Add(message(procFork, 10, 10, 11, 11))
	f.Add(message(procExit, 11, 11, 9)[:dataAt+9])
	f.Fuzz(func(_ *testing.T, m []byte) { parseNotice(m) })
}

// watched collects what a watcher tells.
type watched struct {
	lock   sync.Mutex
	events []*event.Event
}

func (w *watched) take(e *event.Event) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.events = append(w.events, e)
}

func (w *watched) of(pid int) []*event.Event {
	w.lock.Lock()
	defer w.lock.Unlock()
	return of(w.events, uint32(pid))
}

// wait returns when the last event of a process is of a kind.
func (w *watched) wait(t *testing.T, pid int, kind event.Kind) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		list := w.of(pid)
		if len(list) > 0 && list[len(list)-1].Kind == kind {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no %s among %d events: %+v", kind, len(list), list)
		}
	}
}

// said is a log that tells when something is written.
type said chan bool

func (s said) Write(p []byte) (int, error) {
	select {
	case s <- true:
	default:
	}
	return len(p), nil
}

func TestTheConnectorTellsOfEachProgram(t *testing.T) {
	if c, err := dial(); err != nil {
		t.Skip("SKIPPED: ", err)
	} else {
		c.Close()
	}
	var seen watched
	begun := make(said, 1)
	log := logrus.New()
	log.SetOutput(begun)
	w := NewWatcher("/proc", NewNames(), logrus.NewEntry(log), seen.take)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); w.Run(time.Hour, done) }()
	<-begun
	seen.wait(t, os.Getpid(), event.Exec)                  // then /proc has been read, which must not find what follows as well
	cmd := exec.Command("/bin/sh", "-c", "read x; exit 3") // it lives until it has been read
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen.wait(t, cmd.Process.Pid, event.Exec)
	in.Close()
	cmd.Wait()
	seen.wait(t, cmd.Process.Pid, event.Exit)
	close(done)
	<-ended
	events := seen.of(cmd.Process.Pid)
	if len(events) != 3 || events[0].Kind != event.Fork || events[1].Kind != event.Exec || events[2].Kind != event.Exit {
		t.Fatalf("%d events: %+v", len(events), events)
	}
	if x := events[1]; x.Exec.FromProcFS || len(x.Exec.Args) != 3 || x.Exec.Credentials == nil || time.Since(time.Unix(0, int64(x.Time))) > 5*time.Second {
		t.Errorf("exec %+v", x)
	}
	if end := events[2].Exit; end.Cause != event.Exited || end.Code != 3 {
		t.Errorf("exit %+v", end)
	}
}

func TestWithoutTheConnectorProcIsRead(t *testing.T) {
	var seen watched
	w := NewWatcher("/proc", NewNames(), quiet(), seen.take)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() { defer close(ended); w.poll(10*time.Millisecond, done) }()
	cmd := exec.Command("/bin/sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen.wait(t, cmd.Process.Pid, event.Exec)
	cmd.Process.Kill()
	cmd.Wait()
	seen.wait(t, cmd.Process.Pid, event.Exit)
	close(done)
	<-ended
	events := seen.of(cmd.Process.Pid)
	if len(events) < 2 || events[0].Kind != event.Exec || events[len(events)-1].Kind != event.Exit {
		t.Errorf("%d events: %+v", len(events), events)
	}
}

func quiet() *logrus.Entry {
	log := logrus.New()
	log.SetLevel(logrus.FatalLevel)
	return logrus.NewEntry(log)
}
