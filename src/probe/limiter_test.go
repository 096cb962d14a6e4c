package probe

import (
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

func TestAFloodOfOneProcessHidesNoOther(t *testing.T) {
	e, found := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	by := func(pid uint32) {
		e.Take(testNS, event.Container{}, &event.Event{Kind: event.Open, PID: pid, File: event.File{Path: "/x"}})
	}
	for range 1000 {
		by(5)
	}
	flood := len(*found)
	by(6)
	if flood > 50 || len(*found) != flood+1 || (*found)[flood].Process.PID != 6 {
		t.Fatalf("%d detections of the flood, %d after another process", flood, len(*found))
	}
	if got := (*found)[flood].Evt.Variables["(held back)"]; got != uint64(1000-flood) {
		t.Errorf("the next detection says that %v were held back, want %d", got, 1000-flood)
	}
	if got := e.Counts().HeldBack["it"]; got != uint64(1000-flood) {
		t.Errorf("%d are counted for the rule", got)
	}
}

func TestManyProcessesAreLimitedToo(t *testing.T) {
	l, rule, now, through := newLimiter(40, 10), &secl.RuleDef{ID: "r"}, time.Now(), 0
	for pid := range uint32(10000) {
		if l.allow(rule, "", key{testNS, pid}, now) {
			through++
		}
	}
	if through != 80 {
		t.Errorf("%d of 10000 processes came through in an instant, want twice the burst", through)
	}
	if n := len(l.rules["r"].told); n > maxBuckets {
		t.Errorf("%d processes are remembered", n)
	}
}

func TestEveryIsOneForAllProcesses(t *testing.T) {
	l, rule, now := newLimiter(40, 10), &secl.RuleDef{ID: "r", Every: time.Minute}, time.Now()
	if !l.allow(rule, "", key{testNS, 1}, now) || l.allow(rule, "", key{testNS, 2}, now) {
		t.Error("not exactly the first came through")
	}
}
