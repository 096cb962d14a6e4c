package host

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Watcher tells of every program that runs on the host and is not traced by one of our tracers, which tell more.
type Watcher struct {
	mount    string
	describe *Describer
	tracers  *Tracers
	scan     *Scan
	take     func(*event.Event)
	log      *logrus.Entry
	queue    []notice
	counts   struct{ described, missed, lost atomic.Uint64 }
}

// Counts are totals since the start.
type Counts struct {
	Described uint64 // programs that could be read
	Missed    uint64 // programs that had ended, or executed another, before they could be
	Lost      uint64 // times that the kernel dropped notices; /proc was read anew then
}

// NewWatcher reads the proc file system at a mount point. take gets the events, from one goroutine.
func NewWatcher(mount string, names record.Names, log *logrus.Entry, take func(*event.Event)) *Watcher {
	w := &Watcher{mount: mount, describe: NewDescriber(mount, names), tracers: NewTracers(mount), take: take, log: log}
	w.scan = NewScan(mount, names, w.tracers.Trace)
	return w
}

// Counts gives the totals; it may be called while the watcher runs.
func (w *Watcher) Counts() Counts {
	return Counts{w.counts.described.Load(), w.counts.missed.Load(), w.counts.lost.Load()}
}

// Run watches until done is closed: by the kernel's proc connector, or else by reading /proc every interval, which
// doesn't see what ends in between.
func (w *Watcher) Run(every time.Duration, done <-chan struct{}) {
	c, err := dial()
	if err == nil && !w.initialNamespace() {
		c.Close()
		err = errors.New("the proc connector speaks of another pid namespace than " + w.mount)
	}
	if err != nil {
		w.log.Warnf("%v: /proc is read every %v instead, and what ends in between is not seen", err, every)
		w.poll(every, done)
		return
	}
	w.log.Info("the kernel's proc connector tells of all programs that are executed on this host")
	defer c.Close()
	go func() {
		<-done
		c.stop()
	}()
	// The race is against programs that end at once. Without CAP_SYS_NICE it is run as everybody does.
	runtime.LockOSThread()
	unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
	w.round() // what ran before; what begins meanwhile waits in the socket
	if err := w.follow(c); !closed(done) {
		w.log.Errorf("%v: /proc is read every %v from now on", err, every)
		w.poll(every, done)
	}
}

// initialNamespace tells whether the pids of the proc file system are those of the kernel's notices: kthreadd is there.
func (w *Watcher) initialNamespace() bool {
	text, err := os.ReadFile(w.mount + "/2/comm")
	return err == nil && string(text) == "kthreadd\n"
}

func (w *Watcher) poll(every time.Duration, done <-chan struct{}) {
	for {
		w.round()
		select {
		case <-done:
			return
		case <-time.After(every):
		}
	}
}

func (w *Watcher) round() {
	for _, e := range w.scan.Round() {
		if e.Kind == event.Exec {
			w.counts.described.Add(1)
		}
		w.take(e)
	}
}

func closed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// follow reads notices until the connector is closed or fails.
func (w *Watcher) follow(c *connector) error {
	for {
		if len(w.queue) == 0 {
			if err := w.read(c, true); err != nil {
				return err
			}
			continue
		}
		n := w.queue[0]
		w.queue = w.queue[1:]
		switch n.what {
		case procExec:
			w.executed(c, n)
		case procFork:
			w.take(&event.Event{Kind: event.Fork, PID: uint32(n.pid), PPID: uint32(n.parent), Time: moment(n.at)})
		case procExit:
			w.scan.forget(n.pid)
			e := &event.Event{Kind: event.Exit, PID: uint32(n.pid), Time: moment(n.at)}
			e.Exit.Cause, e.Exit.Code = cause(unix.WaitStatus(n.status))
			w.take(e)
		}
	}
}

// read takes one notice into the queue.
func (w *Watcher) read(c *connector, wait bool) error {
	n, err := c.next(wait)
	switch {
	case err == nil:
		w.queue = append(w.queue, n)
	case errors.Is(err, errLost):
		w.counts.lost.Add(1)
		w.log.Warnf("%v: /proc is read anew", err)
		w.round()
	default:
		return fmt.Errorf("proc connector: %w", err)
	}
	return nil
}

// executed describes a program. Where the process has executed another one meanwhile, what was read is that one, and its
// own notice tells of it.
func (w *Watcher) executed(c *connector, n notice) {
	e := w.describe.Describe(n.pid)
	if e != nil && w.tracers.Trace(n.pid) {
		return
	}
	for w.read(c, false) == nil {
	}
	for _, later := range w.queue {
		if later.what == procExec && later.pid == n.pid {
			e = nil
		}
	}
	if e == nil {
		w.counts.missed.Add(1)
		return
	}
	w.counts.described.Add(1)
	w.scan.remember(n.pid)
	e.Time, e.Exec.FromProcFS = moment(n.at), false
	w.take(e)
}

// moment turns the kernel's time (CLOCK_MONOTONIC, or before Linux 3.17 the boot's) into nanoseconds since the epoch.
func moment(at uint64) uint64 {
	var now, up unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME, &now)
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &up)
	return uint64(now.Nano()-up.Nano()) + at
}

func cause(s unix.WaitStatus) (event.Cause, uint32) {
	switch {
	case s.CoreDump():
		return event.CoreDumped, uint32(s.Signal())
	case s.Signaled():
		return event.Signaled, uint32(s.Signal())
	}
	return event.Exited, uint32(s.ExitStatus())
}

// remember keeps the next round from telling of a process again.
func (s *Scan) remember(pid int) {
	s.known[pid] = identity{process: s.proc.Identity(pid), program: s.proc.ExecutableInode(pid)}
}

func (s *Scan) forget(pid int) { delete(s.known, pid) }
