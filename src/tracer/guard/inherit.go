package guard

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Descriptors of a loop, by which another guardian reaches it.
const (
	memoryFD = 3
	lifeFD   = 4
)

// HolderOf is the loop that holds a process for want of a tracer, 0 for any other process.
func HolderOf(pid int) int {
	var reader procfs.Reader
	var status procfs.Status
	if reader.Status(pid, &status) != 0 || status.TracerPID == 0 || !host.Holds("/proc", status.TracerPID) {
		return 0
	}
	return status.TracerPID
}

// OpenHolder gives a holder's memory, and keeps others from taking it over until Inherit is done or the file is closed.
func OpenHolder(loop int) (*shared.Memory, *os.File, error) {
	if err := trust(loop); err != nil {
		return nil, nil, fmt.Errorf("take over from the holder, pid %d: %w", loop, err)
	}
	file, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/%d", loop, memoryFD), os.O_RDWR, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("take over from the holder, pid %d: %w", loop, err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = errors.New("another tracer does that just now")
	}
	var memory *shared.Memory
	if err == nil {
		memory, err = shared.Map(file)
	}
	if err == nil {
		err = awaitHolder(memory.Control)
	}
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("take over from the holder, pid %d: %w", loop, err)
	}
	return memory, file, nil
}

// awaitHolder waits for the tracer that has left to be gone with its last events, and for the guardian that came after it.
func awaitHolder(c *shared.Control) error {
	var reader procfs.Reader
	var status procfs.Status
	for deadline := time.Now().Add(flushLimit); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		loop := int(c.LoopPID)
		switch {
		case reader.Status(loop, &status) != 0 || c.State() == shared.Done:
			return ptrace.ErrGone
		case c.Holding == 0:
			return errors.New("another tracer has just done that")
		case c.Held != 0 && status.TracerPID != 0 && status.TracerPID == int(c.GuardPID):
			return nil
		}
	}
	return errors.New("its tracer is still leaving, or it can't be guarded; try again")
}

// trust asks whether a loop may tell this process what to do: it must be one of ours, of the same version, of the same user,
// and have every privilege that this process has. Anybody else could show us any memory.
func trust(loop int) error {
	var reader procfs.Reader
	var own, other procfs.Status
	if reader.Status(os.Getpid(), &own) != 0 || reader.Status(loop, &other) != 0 {
		return ptrace.ErrGone
	}
	here, _ := os.Readlink("/proc/self/ns/user")
	there, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", loop))
	if err != nil {
		return err
	}
	if here != there || other.UID != own.EUID || other.EUID != own.EUID || own.Permitted&^other.Permitted != 0 {
		return errors.New("it runs with fewer privileges than this tracer, or as another user")
	}
	version, err := exec.Command(fmt.Sprintf("/proc/%d/exe", loop), "loop", "--layout").Output()
	if err != nil || strings.TrimSpace(string(version)) != shared.Version() {
		return errors.New("it is of another version; what it holds can be traced again when it has been restarted")
	}
	return nil
}

// inheritLimit is how long a holder's guardian may take to give its place away.
const inheritLimit = 5 * time.Second

// Inherit makes this process the guardian of a holder's loop, in the place of the one that it has. The loop does not notice:
// its life line stays open.
func Inherit(m *shared.Memory, file *os.File, command []string, log *logrus.Entry) (*Watchdog, error) {
	c := m.Control
	loop := int(c.LoopPID)
	line := fmt.Sprintf("/proc/%d/fd/%d", loop, lifeFD)
	mine, err := os.OpenFile(line, os.O_RDWR, 0) // which doesn't wait for the other end, as reading alone would
	if err != nil {
		return nil, fmt.Errorf("take over from the holder, pid %d: %w", loop, err)
	}
	theirs, err := os.Open(line)
	if err != nil {
		return nil, fmt.Errorf("take over from the holder, pid %d: %w", loop, err)
	}
	w := &Watchdog{memory: m, file: file, life: mine, theirs: theirs, command: command, log: log, loop: loop}
	c.Succeed(os.Getpid())
	defer c.Succeed(0)
	for deadline := time.Now().Add(inheritLimit); ; {
		errno := ptrace.Seize(loop, unix.PTRACE_O_TRACEEXIT)
		if errno == 0 {
			break
		}
		if errno != unix.EPERM || !w.guarded() || time.Now().After(deadline) {
			return nil, fmt.Errorf("take over from the holder, pid %d: %w", loop, errno)
		}
		w.wake()
	}
	c.GuardPID = int32(os.Getpid())
	c.SetGuarded(loop)
	c.Holding, c.Held = 0, 0
	c.Request(shared.RequestRenew)
	unix.Flock(int(file.Fd()), unix.LOCK_UN) // or the loops that get the file would keep it locked
	return w, nil
}

// settleLimit is how long the loop may take to attach to everything.
const settleLimit = 30 * time.Second

// settle returns when the loop has attached to all processes, and has put the filter into them where that is wanted.
func (w *Watchdog) settle() {
	c := w.memory.Control
	for deadline := time.Now().Add(settleLimit); c.Unsettled != 0 && !w.finished() && time.Now().Before(deadline); {
		if c.Requested() {
			w.wake()
		}
		time.Sleep(time.Millisecond)
	}
}
