package host

import (
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
)

// BenchmarkTrue runs /bin/true as fast as a shell can, and gives the share that is seen with path and arguments: by the
// proc connector, and by reading /proc alone. -benchtime 10000x runs it ten thousand times.
func BenchmarkTrue(b *testing.B) {
	b.Run("connector", func(b *testing.B) {
		c, err := dial()
		if err != nil {
			b.Skip("SKIPPED: ", err)
		}
		c.Close()
		shareSeen(b, func(w *Watcher, done chan struct{}) { w.Run(ScanEvery, done) })
	})
	b.Run("scan", func(b *testing.B) {
		shareSeen(b, func(w *Watcher, done chan struct{}) { w.poll(ScanEvery, done) })
	})
}

func shareSeen(b *testing.B, run func(*Watcher, chan struct{})) {
	mark := strconv.FormatInt(time.Now().UnixNano(), 10)
	var seen atomic.Int64
	w := NewWatcher("/proc", NewNames(), silent(), func(e *event.Event) {
		if e.Kind == event.Exec && e.File.Path != "" && slices.Contains(e.Exec.Args, mark) && e.Exec.Args[0] == "/bin/true" {
			seen.Add(1)
		}
	})
	done := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() { run(w, done) })
	time.Sleep(time.Second) // it listens, and knows what ran before
	b.ResetTimer()
	script := `i=0; while [ $i -lt "$1" ]; do /bin/true "$2"; i=$((i + 1)); done`
	if out, err := exec.Command("sh", "-c", script, "sh", strconv.Itoa(b.N), mark).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	b.StopTimer()
	time.Sleep(2 * ScanEvery)
	close(done)
	ended.Wait()
	b.ReportMetric(100*float64(seen.Load())/float64(b.N), "%seen")
	b.ReportMetric(float64(w.Counts().Lost), "overflows")
}
