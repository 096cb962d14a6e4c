package tracer

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Options of a loop, the same for all its lives.
type Options struct {
	Interest event.Interest
	NoStat   bool
	Argv     []string // command line with which the process executes itself again
	Log      *logrus.Entry
	Systemd  int // the launcher's parent, if it is to be told the main process; 0: nobody is
}

// Guardian is who watches over the loop.
type Guardian interface {
	// Gone is closed when the guardian has ended.
	Gone() <-chan struct{}
	// Revive starts another one, of which Gone tells from then on.
	Revive() error
}

// crashLimit is how often a loop may panic before it gives up reading and only holds its tasks.
const crashLimit = 20

// Run is the whole life of the tracing process: it must be called on the main thread, whose attachments survive an
// execve(2). It returns when no task is left.
func Run(m *shared.Memory, o Options, launcher int, g Guardian) {
	w := newWatch(m, o.Interest, o.NoStat)
	run(newLoop(&linux{}, w, m), w, o, launcher, g)
}

func run(l *Loop, w *watch, o Options, launcher int, g Guardian) {
	m := l.memory
	settle()
	m.Control.LoopPID = int32(os.Getpid())
	if cpus := newMachine(); cpus != nil {
		l.place = newPlacement(cpus)
	}
	defer func() {
		if reason := recover(); reason != nil {
			l.leavePlace()
			crashed(m, o, reason)
		}
	}()
	done := make(chan struct{})
	go l.listen(done, notified(), g, o)
	awaitGuard(m.Control)
	if o.Systemd != 0 && (m.Control.Seized == 0 || m.Find(launcher) != nil) {
		l.background = &background{launched: launcher, systemd: o.Systemd, log: o.Log}
	}
	if m.Control.Holding != 0 {
		l.leave()
	}
	if l.begin(launcher, w) {
		l.run(func(bits uint32) { l.obey(bits, o) })
		m.Control.SetState(shared.Done)
	}
	close(done)
}

// settle makes the Go runtime keep out of the way: nothing may stop the world while the loop sits in a raw wait4.
func settle() {
	runtime.GOMAXPROCS(4) // a processor that waits in wait4 is lost for the others
	debug.SetGCPercent(-1)
	quietChildren()
	os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0o644) // refused without CAP_SYS_RESOURCE
}

// begin attaches, takes over, or goes on, whatever this life of the loop starts with.
func (l *Loop) begin(launcher int, w *watch) bool {
	c := l.control
	switch {
	case c.State() == shared.Tracing && c.Renewals > 0 && c.Seized == uint32(os.Getpid()):
		l.goOn()
	case c.Seized != 0:
		l.adopt()
		if c.Attached != 0 {
			l.rejoin()
		}
	case !l.attachFirst(launcher, w):
		c.SetState(shared.Failed)
		return false
	}
	if c.Seized != 0 && c.Unsettled != 0 {
		l.takeUp(w)
	}
	c.Seized = uint32(os.Getpid())
	c.SetState(shared.Tracing)
	if c.Unsettled != 0 {
		l.inject(w.interest)
		c.Unsettled = 0
	}
	return true
}

// attachFirst is what a loop does that comes after none, or after one that was killed while it did this.
func (l *Loop) attachFirst(launcher int, w *watch) bool {
	if l.control.Tasks > 0 {
		l.adopt()
	}
	if l.control.Attached == 0 {
		return l.launch(launcher)
	}
	if !l.attachAll(w) {
		l.letEverythingGo()
		return false
	}
	return true
}

func (l *Loop) attachAll(w *watch) bool {
	for _, pid := range l.control.PIDs[:l.control.PIDCount] {
		if !w.proc.SameRoot(int(pid)) {
			l.control.Rooted = 1
		}
		if l.attach(int(pid), threads) {
			w.Found(int(pid))
		} else if unix.Errno(l.control.Failure) != unix.ESRCH {
			return false
		}
	}
	return l.control.Tasks > 0 // those that have ended meanwhile are no failure of the others
}

// letEverythingGo undoes an attachment that failed half-way.
func (l *Loop) letEverythingGo() {
	l.release()
	l.run(func(uint32) {})
}

func threads(pid int) []int {
	entries, err := os.ReadDir("/proc/" + strconv.Itoa(pid) + "/task")
	if err != nil {
		return nil
	}
	list := make([]int, 0, len(entries))
	for _, entry := range entries {
		if tid, err := strconv.Atoi(entry.Name()); err == nil {
			list = append(list, tid)
		}
	}
	return list
}

// obey acts on requests between two stops.
func (l *Loop) obey(bits uint32, o Options) {
	if bits&shared.RequestDetach != 0 {
		l.release()
	}
	if bits&shared.RequestRenew != 0 {
		l.leavePlace()
		renew(l.control, o)
	}
}

// leavePlace is for the next image of the program, which takes the processors that it finds for all there are.
func (l *Loop) leavePlace() {
	if l.place != nil {
		l.place.roam()
	}
}

// renew executes the program again in this very thread: it keeps its id, and with it every attachment.
func renew(c *shared.Control, o Options) {
	c.Renewals++
	undo := shield()
	err := syscall.Exec(program(), o.Argv, os.Environ())
	undo()
	c.Renewals--
	o.Log.Errorf("execute %s again: %v; going on as before", program(), err)
}

// shield keeps the signals by which the loop is asked for something from ending the new image before it listens. The Go
// runtime keeps an inherited SIGHUP or SIGINT ignored until it is asked for, and an inherited SIGUSR1 blocked; it takes
// SIGTERM and SIGQUIT in any case, and then the guardian brings the loop back.
func shield() (undo func()) {
	ignore := kernelAction{handler: 1} // SIG_IGN
	hangup, interrupt := action(unix.SIGHUP), action(unix.SIGINT)
	setAction(unix.SIGHUP, &ignore)
	setAction(unix.SIGINT, &ignore)
	changeMask(unix.SIG_BLOCK, 1<<(wakeSignal-1))
	return func() {
		setAction(unix.SIGHUP, &hangup)
		setAction(unix.SIGINT, &interrupt)
		changeMask(unix.SIG_UNBLOCK, 1<<(wakeSignal-1))
	}
}

// program is what an upgrade has put in place of this program, or this program where nothing has.
func program() string {
	path, err := os.Executable()
	if err == nil && unix.Access(path, unix.X_OK) == nil {
		return path
	}
	return "/proc/self/exe"
}

// crashed follows a panic: a fresh image of the program goes on where this one broke.
func crashed(m *shared.Memory, o Options, reason any) {
	o.Log.Errorf("the tracing loop broke (%v) and starts again in place:\n%s", reason, debug.Stack())
	m.Control.Crashes++
	if m.Control.Crashes >= crashLimit {
		m.Control.Bare = 1
	}
	renew(m.Control, o)
}

var listened = [...]unix.Signal{unix.SIGHUP, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGABRT}

// notified takes over the signals: from the moment that the loop has a task, none may end it.
func notified() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	for _, s := range listened {
		signal.Notify(signals, s)
	}
	prepareWake()
	changeMask(unix.SIG_UNBLOCK, 1<<(wakeSignal-1)) // see shield; it must reach this very thread
	return signals
}

// listen turns SIGHUP and the end of the guardian into requests, and wakes the loop for them. What else would end a process
// reaches the loop when an init system stops the application; only the guardian has the loop let tasks go.
func (l *Loop) listen(done <-chan struct{}, signals <-chan os.Signal, g Guardian, o Options) {
	gone := g.Gone()
	guardian := int(l.control.GuardPID)
	if l.control.Renewals > 0 && l.control.Guarded(os.Getpid()) && guardian > 0 { // 0 would be our whole process group
		unix.Kill(guardian, unix.SIGHUP) // by which it looks whether it is of the same version
	}
	for {
		select {
		case <-done:
			return
		case <-gone:
			gone = l.orphaned(g, o)
		case s := <-signals:
			if s == unix.SIGHUP {
				l.askToRenew(o)
			}
		}
	}
}

// orphaned gets a new guardian for tasks that have a filter: without a tracer, the calls that it traps would fail. In
// attach mode the guardian is the process that was started to trace: with it the tracing ends.
func (l *Loop) orphaned(g Guardian, o Options) <-chan struct{} {
	if l.control.Attached != 0 {
		l.ask(shared.RequestDetach)
		if l.control.Filters == 0 {
			return nil
		}
	}
	if err := g.Revive(); err != nil {
		o.Log.Errorf("%v; trying again", err)
		time.Sleep(time.Second)
	}
	return g.Gone()
}

// askToRenew has the program that is installed now take over, if it understands the memory of this one.
func (l *Loop) askToRenew(o Options) {
	version, err := exec.Command(program(), "loop", "--layout").Output()
	if err != nil || strings.TrimSpace(string(version)) != shared.Version() {
		o.Log.Warnf("%s can't take over from this version (%v); it serves what is started from now on", program(), err)
		return
	}
	l.ask(shared.RequestRenew)
}

// awaitGuard lets the guardian attach first: a loop that is killed while it has tasks and no guardian leaves their calls
// to fail. A guardian that can't attach says so and lets the loop begin.
func awaitGuard(c *shared.Control) {
	for deadline := time.Now().Add(5 * time.Second); !c.Guarded(os.Getpid()) && time.Now().Before(deadline); {
		time.Sleep(100 * time.Microsecond)
	}
}

// wakeSignal interrupts the loop's wait4.
const wakeSignal = unix.SIGUSR1

// ask leaves a request and interrupts the loop until it has taken it: a signal that comes just before wait4 is lost.
func (l *Loop) ask(bits uint32) {
	l.control.Request(bits)
	for l.control.Requested() {
		unix.Tgkill(os.Getpid(), os.Getpid(), wakeSignal)
		time.Sleep(5 * time.Millisecond)
	}
}
