package guard

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Watchdog keeps a tracing loop alive. It is itself the loop's tracer, with PTRACE_O_TRACEEXIT: a loop that is killed,
// by SIGKILL too, stays at its exit with its tasks still attached until they have been stopped for a successor. Calls
// that a filter traps fail with ENOSYS while nobody traces, so no task may run in between.
//
// All methods but Loop belong to one locked thread.
type Watchdog struct {
	memory  *shared.Memory
	file    *os.File // of the memory, for the loop
	life    *os.File // whose end tells the loop that the guardian is gone
	theirs  *os.File
	command []string
	log     *logrus.Entry
	loop    int
	leaving atomic.Bool // the loop gets another guardian
}

// NewWatchdog prepares for a loop that is started by the command, with the shared memory as descriptor 3 and the life
// line as descriptor 4.
func NewWatchdog(m *shared.Memory, file *os.File, command []string, log *logrus.Entry) (*Watchdog, error) {
	theirs, mine, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the loop's life line: %w", err)
	}
	m.Control.GuardPID = int32(os.Getpid())
	return &Watchdog{memory: m, file: file, life: mine, theirs: theirs, command: command, log: log}, nil
}

// noPreemption keeps the Go runtime from sending signals to a thread that has run for 10 ms: a loop that waits looks to it
// as if it ran, and each signal would be a stop of the loop for its guardian.
const noPreemption = "GODEBUG=asyncpreemptoff=1"

// Start makes a new loop. It attaches to nothing before it is guarded.
func (w *Watchdog) Start() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("start the tracing loop: %w", err)
	}
	defer null.Close()
	w.loop, err = syscall.ForkExec("/proc/self/exe", w.command, &syscall.ProcAttr{
		Dir:   "/",
		Env:   append(os.Environ(), noPreemption),
		Files: []uintptr{null.Fd(), null.Fd(), 2, w.file.Fd(), w.theirs.Fd()},
	})
	if err != nil {
		return fmt.Errorf("start the tracing loop: %w", err)
	}
	return w.seize()
}

// Adopt guards a loop that has outlived its guardian. The loop has started this process and waits on another life line.
func (w *Watchdog) Adopt() error {
	w.loop = int(w.memory.Control.LoopPID)
	return w.seize()
}

// seizeLimit is how long a loop may still be held by a guardian that is dying: its files, by whose end the loop knows, are
// closed before its tracees are let go.
const seizeLimit = 2 * time.Second

func (w *Watchdog) seize() error {
	errno := ptrace.Seize(w.loop, unix.PTRACE_O_TRACEEXIT)
	for deadline := time.Now().Add(seizeLimit); errno == unix.EPERM && w.guarded() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
		errno = ptrace.Seize(w.loop, unix.PTRACE_O_TRACEEXIT)
	}
	if errno != 0 {
		// Without a guardian the loop still works. Yama and containers may forbid this and allow the rest.
		w.log.Warnf("the tracing loop (pid %d) can't be guarded: %v; if it is killed, the application's calls will fail", w.loop, errno)
	}
	w.memory.Control.SetGuarded(w.loop)
	return nil
}

// guarded tells whether somebody traces the loop.
func (w *Watchdog) guarded() bool {
	var proc procfs.Reader
	var status procfs.Status
	return proc.Status(w.loop, &status) == 0 && status.TracerPID != 0
}

// Watch returns when the loop has ended because its work is done, or can't be brought back.
func (w *Watchdog) Watch() error {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(w.loop, &status, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if (err != nil || pid != w.loop) && w.lives() {
			time.Sleep(100 * time.Millisecond) // it can't be guarded, and is no child of ours
			continue
		}
		if err != nil || pid != w.loop {
			return w.replace()
		}
		switch stop := ptrace.Classify(pid, status); {
		case stop.Reason == ptrace.Exiting:
			if !w.finished() {
				w.hold()
			}
			ptrace.Resume(w.loop, false, 0)
		case stop.Alive() && (w.leaving.Load() || w.memory.Control.Succeeded(os.Getpid())):
			ptrace.Detach(w.loop, signalOf(stop))
			w.leaving.Store(false)
			w.life.Close() // by which the loop knows that it is time to get another guardian
			return nil
		case stop.Alive():
			// Signals go on to the loop; a group-stop is not kept, because it would stop the application as well.
			ptrace.Resume(w.loop, false, signalOf(stop))
		case w.finished():
			return nil
		default:
			w.log.Warnf("the tracing loop (pid %d) %s; a new one takes over", w.loop, ending(stop))
			if err := w.replace(); err != nil {
				return err
			}
		}
	}
}

// lives tells whether the loop does.
func (w *Watchdog) lives() bool {
	var proc procfs.Reader
	state := proc.State(w.loop)
	return state != 0 && state != 'Z' && state != 'X'
}

func ending(stop ptrace.Stop) string {
	if stop.Reason == ptrace.Killed {
		return "was killed by " + unix.SignalName(unix.Signal(stop.Signal))
	}
	return fmt.Sprintf("ended with status %d", stop.Code)
}

func signalOf(stop ptrace.Stop) int {
	if stop.Reason == ptrace.SignalStop {
		return stop.Signal
	}
	return 0
}

func (w *Watchdog) finished() bool {
	state := w.memory.Control.State()
	return state == shared.Done || state == shared.Failed
}

// replace starts a successor, again and again while the system has no process to give: the application stands still.
func (w *Watchdog) replace() error {
	if w.finished() {
		return nil
	}
	for try := 0; ; try++ {
		err := w.Start()
		if err == nil {
			return nil
		}
		w.log.Errorf("%v; trying again", err)
		if try > 600 {
			w.free()
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// free continues what hold has stopped, when there will be no successor.
func (w *Watchdog) free() {
	w.memory.Each(func(t *shared.Task) {
		if t.TID == t.TGID && !t.Stopped {
			unix.Kill(int(t.TID), unix.SIGCONT)
		}
	})
}

// ended tells whether the loop is gone before it said anything, and how, letting it run meanwhile. What it had attached to by
// then is held for a successor.
func (w *Watchdog) ended() (stop ptrace.Stop, gone bool) {
	stop, errno := ptrace.Poll(w.loop)
	if errno != 0 {
		return stop, true
	}
	if stop.TID == 0 {
		return stop, false
	}
	if stop.Reason == ptrace.Exiting && !w.finished() {
		w.hold()
	}
	if stop.Alive() {
		ptrace.Resume(w.loop, false, signalOf(stop))
		return stop, false
	}
	return stop, true
}
