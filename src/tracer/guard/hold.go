package guard

import (
	"strconv"
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

const (
	// holdLimit bounds how long a dead loop is kept for its tasks to stop.
	holdLimit = 3 * time.Second
	// deepSleepLimit is how long a task may sleep uninterruptibly (D) before it counts as stopped: a parent in vfork(2) waits
	// so for a child that is stopped itself. A fork(2) that only waits for a lock would give birth to a child that
	// nobody traces, if the loop were let go meanwhile.
	deepSleepLimit = 30 * time.Millisecond
)

// hold stops every task of a loop that stands at its exit. Each thread gets a SIGSTOP of its own: it stays in the
// signal's delivery stop until the loop is gone, and in a group-stop from then on.
//
// Two rounds in a row must find everything still: in one, a task may fork after the list was made and stop before its
// own state is read.
func (w *Watchdog) hold() {
	h := holding{watchdog: w, sent: map[int]bool{}, asleep: map[int]time.Time{}}
	quiet := 0
	for deadline := time.Now().Add(holdLimit); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		if h.round() {
			quiet++
		} else {
			quiet = 0
		}
		if quiet == 2 {
			return
		}
	}
	w.log.Warnf("some tasks did not stop within %v while the tracing loop was replaced", holdLimit)
}

// holding is one hold.
type holding struct {
	watchdog *Watchdog
	proc     procfs.Reader
	sent     map[int]bool
	asleep   map[int]time.Time // since when a task is seen in uninterruptible sleep
}

// round stops what is new and tells whether nothing was, and nothing moves.
func (h *holding) round() bool {
	still := true
	for _, tgid := range traced(&h.proc, h.watchdog.loop) {
		for _, tid := range procfs.Numbers("/proc/" + strconv.Itoa(tgid) + "/task") {
			if !h.sent[tid] {
				h.sent[tid] = true
				h.watchdog.mark(tid, tgid)
				unix.Tgkill(tgid, tid, unix.SIGSTOP)
				still = false
			}
			still = h.still(tid) && still
		}
	}
	return still
}

// still tells from a task's state in proc(5) that it will execute nothing more before it meets its SIGSTOP.
func (h *holding) still(tid int) bool {
	state := h.proc.State(tid)
	if state != 'D' {
		delete(h.asleep, tid)
	}
	switch state {
	case 't', 'T', 'Z', 'X', 0:
		return true
	case 'D':
		if h.asleep[tid].IsZero() {
			h.asleep[tid] = time.Now()
		}
		return time.Since(h.asleep[tid]) > deepSleepLimit
	}
	return false
}

// mark notes which tasks the guardian stops, and not their user. The loop may have been killed before it heard of a
// task: the successor learns of it here.
func (w *Watchdog) mark(tid, tgid int) {
	t := w.memory.Find(tid)
	if t == nil {
		if t = w.memory.Add(tid, tgid); t == nil {
			return
		}
		t.Found = true
	}
	t.Held = !t.Stopped
}

// traced lists the processes of which at least the first thread has this tracer.
func traced(proc *procfs.Reader, tracer int) []int {
	var list []int
	var status procfs.Status
	for _, pid := range procfs.Numbers("/proc") {
		if proc.Status(pid, &status) == 0 && status.TracerPID == tracer {
			list = append(list, pid)
		}
	}
	return list
}
