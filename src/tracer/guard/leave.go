package guard

import (
	"time"

	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// wakeSignal interrupts the loop's wait, so that it sees what is asked of it.
const wakeSignal = unix.SIGUSR1

// leaveLimit is how long processes without a filter may take to be let go before the guardian leaves: the loop goes on with
// that without it.
const leaveLimit = 2 * time.Second

// Leave has the loop let every task go. Where some have a filter the loop stays, and Watch returns so that another guardian
// can take this one's place; where none has, the loop ends. It may be called from any thread.
func (w *Watchdog) Leave() {
	c := w.memory.Control
	c.Request(shared.RequestDetach)
	for c.Requested() && !w.finished() {
		w.wake()
	}
	if c.Filters == 0 {
		return
	}
	for deadline := time.Now().Add(leaveLimit); w.unfiltered() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	w.leaving.Store(true)
	for w.leaving.Load() && !w.finished() {
		w.wake()
	}
}

// wake is repeated by its callers: a signal that comes just before the loop waits is lost.
func (w *Watchdog) wake() {
	loop := int(w.memory.Control.LoopPID)
	unix.Tgkill(loop, loop, wakeSignal)
	time.Sleep(5 * time.Millisecond)
}

func (w *Watchdog) unfiltered() bool {
	found := false
	w.memory.Each(func(t *shared.Task) { found = found || !t.Filter })
	return found
}
