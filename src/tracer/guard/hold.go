package guard

import (
	"os"
	"strconv"
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// holdLimit bounds how long a dead loop is kept for its tasks to stop.
const holdLimit = 3 * time.Second

// hold stops every task of a loop that stands at its exit. Each thread gets a SIGSTOP of its own: it stays in the
// signal's delivery stop until the loop is gone, and in a group-stop from then on.
func (w *Watchdog) hold() {
	var proc procfs.Reader
	sent := map[int]bool{}
	for deadline := time.Now().Add(holdLimit); time.Now().Before(deadline); {
		fresh, moving := 0, 0
		for _, tgid := range traced(&proc, w.loop) {
			for _, tid := range numbers("/proc/" + strconv.Itoa(tgid) + "/task") {
				if !sent[tid] {
					sent[tid] = true
					fresh++
					w.mark(tid, tgid)
					unix.Tgkill(tgid, tid, unix.SIGSTOP)
				}
				if !still(proc.State(tid)) {
					moving++
				}
			}
		}
		if fresh == 0 && moving == 0 {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
	w.log.Warnf("some tasks did not stop within %v while the tracing loop was replaced", holdLimit)
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

// still tells from a state of proc(5) that a task will execute nothing more before it meets its SIGSTOP. D is a parent
// in vfork(2), which waits in the kernel for a child that is stopped itself.
func still(state byte) bool {
	switch state {
	case 't', 'T', 'Z', 'X', 'D', 0:
		return true
	}
	return false
}

// traced lists the processes of which at least the first thread has this tracer.
func traced(proc *procfs.Reader, tracer int) []int {
	var list []int
	var status procfs.Status
	for _, pid := range numbers("/proc") {
		if proc.Status(pid, &status) == 0 && status.TracerPID == tracer {
			list = append(list, pid)
		}
	}
	return list
}

func numbers(dir string) []int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	list := make([]int, 0, len(entries))
	for _, entry := range entries {
		if n, err := strconv.Atoi(entry.Name()); err == nil {
			list = append(list, n)
		}
	}
	return list
}
