package host

import (
	"os/exec"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
)

func TestScanReportsAProcessOnceAndItsEnd(t *testing.T) {
	s := NewScan("/proc", NewNames(), func(int) bool { return false })
	s.Round()
	before := time.Now().Add(-20 * time.Millisecond)
	other := exec.Command("/bin/sleep", "1000")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Process.Kill()
	pid := uint32(other.Process.Pid)
	time.Sleep(50 * time.Millisecond) // past its exec
	found := of(s.Round(), pid)
	if len(found) != 1 {
		t.Fatalf("a new process was reported %d times", len(found))
	}
	e := found[0]
	if e.Kind != event.Exec || !e.Exec.FromProcFS || len(e.Exec.Args) != 2 || e.Exec.Args[1] != "1000" || e.Exec.Credentials == nil {
		t.Errorf("reported as %+v", e)
	}
	if started := time.Unix(0, int64(e.Time)); started.Before(before) || started.After(time.Now()) {
		t.Errorf("started at %v, not after %v", started, before)
	}
	if again := of(s.Round(), pid); len(again) != 0 {
		t.Errorf("reported again: %+v", again[0])
	}
	other.Process.Kill()
	other.Wait()
	if gone := of(s.Round(), pid); len(gone) != 1 || gone[0].Kind != event.Exit {
		t.Errorf("its end was reported as %+v", gone)
	}
}

func TestScanLeavesOutWhatIsTraced(t *testing.T) {
	other := exec.Command("/bin/sleep", "1000")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	s := NewScan("/proc", NewNames(), func(pid int) bool { return pid == other.Process.Pid })
	if found := of(s.Round(), uint32(other.Process.Pid)); len(found) != 0 {
		t.Errorf("reported: %+v", found[0])
	}
}

func of(events []*event.Event, pid uint32) []*event.Event {
	var list []*event.Event
	for _, e := range events {
		if e.PID == pid {
			list = append(list, e)
		}
	}
	return list
}
