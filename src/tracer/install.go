package tracer

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// installer puts the seccomp filter into processes that run already: one of their threads is made to call seccomp(2), which
// takes the others along (TSYNC, Linux 3.17), or each thread prctl(2) before. Where that can't be, every call of the process
// stops, as it does anyhow until the filter is there.
type installer struct {
	loop    *Loop
	filter  []unix.SockFilter
	memory  ptrace.Memory
	stopped map[int]ptrace.Stop // threads of the process at hand that stand still for us
}

// installAll tries every process once that stops at each call, those too that are born meanwhile.
func (l *Loop) installAll(interest event.Interest) error {
	program, err := seccomp.Program(syscalls.ABIsOf(runtime.GOARCH), seccomp.TrapOf(interest))
	if err != nil {
		return err
	}
	i := &installer{loop: l, filter: program}
	tried := map[int32]bool{}
	for tgid := l.untried(tried); tgid != 0; tgid = l.untried(tried) {
		tried[tgid] = true
		if err := i.process(int(tgid)); err != nil && !errors.Is(err, ptrace.ErrGone) {
			i.mark(int(tgid), func(t *shared.Task) { t.Plain = true })
			l.control.NotePlain(int(tgid), err.Error())
		}
	}
	return nil
}

func (l *Loop) untried(tried map[int32]bool) (tgid int32) {
	l.memory.Each(func(t *shared.Task) {
		if t.Plain && !tried[t.TGID] {
			tgid = t.TGID
		}
	})
	return tgid
}

// process has all threads stand still first: none can be about to fork a child that would have no filter.
func (i *installer) process(tgid int) error {
	if !host.SameGroups(tgid) {
		return errors.New("it is in another control group than the first process that is traced; give it a tracer of its own")
	}
	i.stopped = map[int]ptrace.Stop{}
	defer func() {
		for _, stop := range i.stopped {
			i.loop.step(stop)
		}
	}()
	if err := i.stop(tgid); err != nil {
		return err
	}
	for tid := range i.stopped { // any one: the leader may have ended while others live on
		exempt := i.guarded(tid)
		err := i.whole(tid, tgid, exempt)
		if errors.Is(err, errEachThread) {
			err = i.each(tgid, exempt)
		}
		return err
	}
	return ptrace.ErrGone
}

// guarded tells whether a filter that is not ours decides what a thread may call.
func (i *installer) guarded(tid int) bool {
	var reader procfs.Reader
	var status procfs.Status
	t := i.loop.memory.Find(tid)
	return reader.Status(tid, &status) == 0 && status.Seccomp != 0 && t != nil && !t.Filter
}

// stopLimit is how long the threads of a process may take to stand still; a parent in vfork(2) waits for its child.
const stopLimit = 2 * time.Second

// stop has every thread of a process stop.
func (i *installer) stop(tgid int) error {
	asked := map[int32]bool{}
	for deadline := time.Now().Add(stopLimit); time.Now().Before(deadline); {
		if i.ask(tgid, asked) == 0 {
			return nil
		}
		stop, errno := ptrace.PollAny()
		if errno != 0 && errno != unix.EINTR {
			return ptrace.ErrGone
		}
		if stop.TID == 0 {
			time.Sleep(50 * time.Microsecond)
			continue
		}
		if i.take(tgid, stop); stop.Alive() && i.loop.memory.Find(stop.TID) != nil {
			delete(asked, int32(stop.TID)) // any other stop has undone the interrupt
		}
	}
	return ptrace.ErrBusy
}

// ask interrupts threads that have not been, and counts those that still run.
func (i *installer) ask(tgid int, asked map[int32]bool) (running int) {
	i.loop.memory.Each(func(t *shared.Task) {
		if _, stands := i.stopped[int(t.TID)]; stands || int(t.TGID) != tgid {
			return
		}
		running++
		if !asked[t.TID] {
			asked[t.TID] = true
			ptrace.Interrupt(int(t.TID))
		}
	})
	return running
}

// take keeps a thread where it stands, or has the loop act on whatever else has stopped it.
func (i *installer) take(tgid int, stop ptrace.Stop) {
	if stop.Reason == ptrace.Trapped || stop.Reason == ptrace.GroupStop {
		t := i.loop.memory.Find(stop.TID)
		if t == nil {
			t = i.loop.meet(stop.TID)
		}
		if t != nil && int(t.TGID) == tgid {
			i.stopped[stop.TID] = stop
			return
		}
	}
	i.pass(stop)
}

func (i *installer) pass(stop ptrace.Stop) {
	delete(i.stopped, stop.TID)
	i.loop.step(stop)
}

// errEachThread means that the kernel has no TSYNC.
var errEachThread = errors.New("the kernel has no seccomp(2)")

// whole installs the filter in all threads by one of them.
func (i *installer) whole(tid, tgid int, exempt bool) error {
	return i.borrow(tid, exempt, func(r *ptrace.Remote, fprog uint64) error {
		const tsync = unix.SECCOMP_FILTER_FLAG_TSYNC
		result, err := remote(r, "seccomp", unix.SECCOMP_SET_MODE_FILTER, tsync|unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, fprog)
		if err == nil && unix.Errno(-result) == unix.EINVAL { // before 4.17
			result, err = remote(r, "seccomp", unix.SECCOMP_SET_MODE_FILTER, tsync, fprog)
		}
		switch {
		case err != nil:
			return err
		case unix.Errno(-result) == unix.ENOSYS:
			return errEachThread
		case result > 0:
			return fmt.Errorf("its thread %d has a seccomp filter of its own", result)
		}
		if err := refused(result); err != nil {
			return err
		}
		i.installed(tgid)
		i.calibrate(r)
		return nil
	})
}

// each installs the filter thread by thread. Those that are born after it was theirs have it by birth.
func (i *installer) each(tgid int, exempt bool) error {
	first := true
	for tid := range i.stopped {
		err := i.borrow(tid, exempt, func(r *ptrace.Remote, fprog uint64) error {
			result, err := remote(r, "prctl", unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, fprog)
			if err == nil {
				err = refused(result)
			}
			if err == nil && first {
				first = false
				i.loop.control.Filters++
				i.mark(tgid, func(t *shared.Task) { t.Filter = true })
				i.calibrate(r)
			}
			return err
		})
		if err != nil && !errors.Is(err, ptrace.ErrGone) {
			return err
		}
	}
	i.installed(tgid)
	return nil
}

func (i *installer) installed(tgid int) {
	i.loop.control.Filters++
	i.mark(tgid, func(t *shared.Task) { t.Filter, t.Plain = true, false })
}

func (i *installer) mark(tgid int, how func(*shared.Task)) {
	i.loop.memory.Each(func(t *shared.Task) {
		if int(t.TGID) == tgid {
			how(t)
		}
	})
}
