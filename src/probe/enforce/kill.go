// Package enforce kills what rules want killed, and nothing that the host or the probe can't do without. Which rule wants
// what, and what is reported of it, is left to its callers.
package enforce

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// Target is a process as a tracer knows it.
type Target struct {
	NSID  uint64 // inode of the tracer's pid namespace; 0: unknown, taken for the probe's own
	PID   uint32 // in that namespace
	Since uint64 // it ran at this moment already, nanoseconds since the epoch
}

// Victim is a process that was told to end, by its pid here.
type Victim struct {
	PID      int
	identity uint64
}

// Killer sends signals. It is safe for concurrent use.
type Killer struct {
	mount string

	lock      sync.Mutex
	proc      procfs.Reader
	namespace uint64
	protect   *protection
}

// NewKiller reads the proc file system at a mount point, empty for /proc. exclude are executables that are never killed, as
// globs of paths.
func NewKiller(mount string, exclude []string) (*Killer, error) {
	if mount == "" {
		mount = "/proc"
	}
	k := &Killer{mount: mount, proc: procfs.Reader{Mount: mount}}
	k.namespace = k.proc.PIDNamespace()
	var err error
	k.protect, err = newProtection(mount, exclude)
	return k, err
}

// Kill sends a signal to all targets, or to none of them where one is protected. Those that are gone are left out. The
// error says why nobody, or not everybody, was told.
func (k *Killer) Kill(targets []Target, signal unix.Signal) ([]Victim, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	if self, err := os.Readlink(k.mount + "/self"); err != nil || self != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("the processes in %s are not those of the probe's pid namespace, so that none can be killed: run the probe in the host's (docker run --pid host)", k.mount)
	}
	var victims []Victim
	for _, t := range targets {
		v, err := k.find(t)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil {
			return nil, err
		}
		victims = append(victims, v)
	}
	if len(victims) == 0 {
		return nil, errors.New("it has ended already")
	}
	if err := k.protect.check(victims); err != nil {
		return nil, err
	}
	told := victims[:0]
	var failures []error
	for _, v := range victims {
		if err := k.send(v, signal); err != nil {
			failures = append(failures, fmt.Errorf("kill pid %d: %w", v.PID, err))
			continue
		}
		told = append(told, v)
	}
	return told, errors.Join(failures...)
}

// send makes sure that the pid has not gone to another process between the look and the signal, where the kernel can
// (pidfd_open(2), Linux 5.3).
func (k *Killer) send(v Victim, signal unix.Signal) error {
	fd, err := unix.PidfdOpen(v.PID, 0)
	if err != nil {
		return unix.Kill(v.PID, signal)
	}
	defer unix.Close(fd)
	if k.proc.Identity(v.PID) != v.identity {
		return unix.ESRCH
	}
	return unix.PidfdSendSignal(fd, signal, nil, 0)
}

// Find gives the pid that a target has in the killer's proc file system.
func (k *Killer) Find(t Target) (int, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	v, err := k.find(t)
	return v.PID, err
}

// Near tells whether a target can be found without a look at all processes.
func (k *Killer) Near(t Target) bool { return t.NSID == 0 || t.NSID == k.namespace }

// waitStep is how often Wait looks.
const waitStep = 2 * time.Millisecond

// Wait returns when all victims have ended, or after the limit; it tells which. A zombie has ended.
func (k *Killer) Wait(victims []Victim, limit time.Duration) bool {
	proc := procfs.Reader{Mount: k.mount}
	gone := func(v Victim) bool {
		state := proc.State(v.PID)
		return state == 'Z' || state == 'X' || proc.Identity(v.PID) != v.identity
	}
	for end := time.Now().Add(limit); ; time.Sleep(waitStep) {
		if victims = slices.DeleteFunc(slices.Clone(victims), gone); len(victims) == 0 {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// slack is how far two clocks, of the event and of the kernel's ticks, may be apart.
const slack = 2e9

// find looks for a target under the pid that it has here. ESRCH: it is gone, or another has its pid now.
func (k *Killer) find(t Target) (Victim, error) {
	pid := int(t.PID)
	if !k.Near(t) {
		var err error
		if pid, err = k.translate(t); err != nil {
			return Victim{}, err
		}
	}
	identity := k.proc.Identity(pid)
	started := k.proc.Started(pid)
	if started == 0 || identity == 0 || t.Since != 0 && started > t.Since+slack {
		return Victim{}, unix.ESRCH
	}
	return Victim{PID: pid, identity: identity}, nil
}

// translate finds a process of another pid namespace. The namespace must be one below the probe's, of which the probe's
// proc file system shows the processes.
func (k *Killer) translate(t Target) (int, error) {
	known := false
	for _, pid := range procfs.Numbers(k.mount) {
		if k.proc.NamespaceOf(pid) != t.NSID {
			continue
		}
		known = true
		if inner := k.proc.InnermostPID(pid); inner == t.PID {
			return pid, nil
		}
	}
	if known {
		return 0, unix.ESRCH
	}
	return 0, fmt.Errorf("pid %d of pid namespace %d can't be found from the probe's pid namespace %d: run the probe in the host's (docker run --pid host)",
		t.PID, t.NSID, k.namespace)
}
