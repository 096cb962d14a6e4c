package tracer

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// background is a launched process that is to go there, and a systemd that must be told what stays: the only process that has
// systemd for its parent once the launched one has gone. Without PIDFile= systemd looks for that itself, at this very moment
// (unit_search_main_pid in its service.c), and finds none where a tracer lives beside it, whose parent is systemd, too.
//
// A parent hears of the end of a tracee when the tracer has waited for it (ptrace(2)). So the end of the launched process is kept
// from systemd until it knows which is the main one; and what ends meanwhile is kept in its last stop, because systemd takes
// no zombie for a main process.
type background struct {
	launched int
	systemd  int
	log      *logrus.Entry
	ending   bool // the launched process is
	kept     bool // something is in its last stop
}

const (
	// keepLimit bounds how long ends are kept back: systemd may be busy, and a process may outlive its main thread.
	keepLimit = time.Second
	keepRest  = 100 * time.Microsecond
	// followUp says nothing (sd_notify(3), X_): once systemd has read it, it has acted on what came before.
	followUp = "X_FOLLOW_UP=1"
)

// exiting acts on the last stop of a task and tells whether it is done with.
func (l *Loop) exiting(t *shared.Task) bool {
	b := l.background
	switch {
	case b == nil:
		return false
	case int(t.TID) == b.launched && !b.ending:
		l.resume(t, 0)
		l.part()
		return true
	case int(t.TGID) == b.launched:
		return false
	case b.ending:
		t.Kept, b.kept = true, true
		return true
	}
	// The launched process may have got there before, without being heard yet.
	tid := int(t.TID)
	t.Kept, b.kept = true, true
	l.serve(b.launched)
	if t = l.memory.Find(tid); t != nil && t.Kept {
		t.Kept = false
		l.resume(t, 0)
	}
	return true
}

// part sees the launched process off.
func (l *Loop) part() {
	b := l.background
	b.ending = true
	deadline := time.Now().Add(keepLimit)
	if l.serveUntil(deadline, func() bool { return l.kernel.Zombie(b.launched) }) {
		l.tellMain(deadline)
		l.serve(b.launched)
	}
	b.ending = false
	if b.kept {
		l.letEnd()
	}
}

// letEnd lets go what is kept in its last stop.
func (l *Loop) letEnd() {
	l.memory.Each(func(t *shared.Task) {
		if t.Kept {
			t.Kept = false
			l.resume(t, 0)
		}
	})
}

// parted is for a launched process whose end could not be kept from systemd, which is told of the main one all the same.
func (l *Loop) parted() {
	if b := l.background; b != nil && l.memory.Find(b.launched) == nil {
		l.tellMain(time.Now())
	}
}

// serveUntil acts on the stops of all tasks but the launched process, until something is so or it is too late for it.
func (l *Loop) serveUntil(deadline time.Time, so func() bool) bool {
	for !so() {
		if time.Now().After(deadline) {
			return false
		}
		for range l.control.Tasks {
			if tid := l.memory.Next(); tid != l.background.launched {
				l.serve(tid)
			}
		}
		time.Sleep(keepRest)
	}
	return true
}

// serve acts on the stop of a task, if it stands in one.
func (l *Loop) serve(tid int) {
	if tid == 0 {
		return
	}
	if stop, errno := l.kernel.Poll(tid); errno == 0 && stop.TID != 0 {
		l.step(stop)
	}
}

// tellMain tells systemd the main process, if there is one, and waits until it knows. With that the background is done with.
func (l *Loop) tellMain(deadline time.Time) {
	b := l.background
	defer func() { l.background = nil }()
	candidates := l.candidates()
	if len(candidates) != 1 {
		b.log.Infof("the main process is unknown: %d processes could be it", len(candidates))
		return
	}
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.log.Warnf("tell systemd the main process: %v", err)
		return
	}
	defer unix.Close(socket)
	to := &unix.SockaddrUnix{Name: os.Getenv("NOTIFY_SOCKET")}
	for _, message := range []string{fmt.Sprintf("MAINPID=%d", candidates[0]), followUp} {
		sent := l.serveUntil(deadline, func() bool {
			err = unix.Sendto(socket, []byte(message), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, to)
			return !errors.Is(err, unix.EAGAIN)
		})
		if !sent || err != nil {
			b.log.Warnf("tell systemd the main process: %v", err)
			return
		}
	}
	l.serveUntil(deadline, func() bool {
		unread, err := unix.IoctlGetInt(socket, unix.SIOCOUTQ)
		return err != nil || unread == 0
	})
}

// candidates are the traced processes that have systemd for their parent.
func (l *Loop) candidates() []int {
	var list []int
	for range l.control.Tasks {
		tid := l.memory.Next()
		if tid == 0 || tid == l.background.launched {
			continue
		}
		if tgid, ppid := l.kernel.Parents(tid); ppid == l.background.systemd && !slices.Contains(list, tgid) {
			list = append(list, tgid)
		}
	}
	return list
}
