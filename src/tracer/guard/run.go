package guard

import (
	"errors"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/src/tracer/launch"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Guard is the guardian process: it owns the watchdog and the sender.
type Guard struct {
	Memory  *shared.Memory
	File    *os.File // of the memory
	Config  Config
	Command []string // starts a loop
	Log     *logrus.Entry
	Inherit bool // the memory is a holder's: attach mode takes its loop over
	// Settled is called when the application runs: from then on nothing that it could miss may be held open.
	Settled func()

	place host.Place
}

// ErrLauncherGone means that whoever waited for the tracer has ended.
var ErrLauncherGone = errors.New("the launcher has ended")

// Wrap waits for the probe, has the launcher traced, lets it become the application, and stays until that is over. It
// must be called on the main thread.
func (g *Guard) Wrap(launcher *launch.Launcher) error {
	g.outlive()
	link := g.link(event.Wrapped)
	interest, err := g.connect(link, launcher.Gone())
	if err != nil {
		return err
	}
	g.trap(interest)
	dog, err := NewWatchdog(g.Memory, g.File, g.Command, g.Log)
	if err == nil {
		err = g.start(dog)
	}
	if err != nil {
		g.Log.Errorf("%v: the application runs untraced", err)
		return launcher.Decide(launch.Verdict{Failure: err.Error()})
	}
	c := g.Memory.Control
	if err := launcher.Decide(launch.Verdict{Traced: true, Filtered: c.Filtered != 0, Interest: interest}); err != nil {
		return err
	}
	g.Settled()
	return g.stay(dog, link)
}

// Attach has running processes traced until they end or this process is asked to leave. It must be called on the main
// thread.
func (g *Guard) Attach() error {
	link := g.link(event.Attached)
	interest, err := g.connect(link, nil)
	if err != nil {
		return err
	}
	leave := make(chan os.Signal, 1)
	signal.Notify(leave, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT)
	signal.Ignore(unix.SIGHUP)
	dog, err := g.attach(interest)
	if err != nil {
		return err
	}
	go func() {
		dog.settle()
		g.tellPlain()
		<-leave
		dog.Leave()
	}()
	return g.stay(dog, link)
}

// attach has a loop attach to the processes, a new one or that of a holder.
func (g *Guard) attach(interest event.Interest) (*Watchdog, error) {
	g.trap(interest)
	c := g.Memory.Control
	c.Attached, c.Inject = 1, 0
	if g.Config.Seccomp {
		c.Inject = c.Filtered
	}
	c.Plains, c.Unsettled = 0, 1
	if g.Inherit {
		return Inherit(g.Memory, g.File, g.Command, g.Log)
	}
	dog, err := NewWatchdog(g.Memory, g.File, g.Command, g.Log)
	if err == nil {
		err = g.start(dog)
	}
	return dog, err
}

// tellPlain names a process that costs more than was asked for.
func (g *Guard) tellPlain() {
	c := g.Memory.Control
	pid, why := c.Plain()
	switch {
	case c.Plains > 1:
		g.say("%d processes stop at every system call, which costs time; no filter could be installed in pid %d, for one: %s", c.Plains, pid, why)
	case c.Plains == 1:
		g.say("pid %d stops at every system call, which costs time; no filter could be installed in it: %s", pid, why)
	}
}

// Succeed goes on where another guardian was killed.
func (g *Guard) Succeed() error {
	g.outlive()
	dog, err := NewWatchdog(g.Memory, g.File, g.Command, g.Log)
	if err != nil {
		return err
	}
	c := g.Memory.Control
	holding, aside := c.Holding != 0, c.Aside != 0
	c.Aside = 0
	if !holding && !aside {
		g.Log.Warn("the guardian of the tracing loop was killed; a new one takes over")
	}
	if err := dog.Adopt(); err != nil {
		return err
	}
	if holding {
		c.Held = 1
		return dog.Watch() // there is nothing to send, and others may come to
	}
	return g.stay(dog, g.link(event.Wrapped))
}

func (g *Guard) link(mode event.Mode) *Link {
	var err error
	if g.place, err = host.OwnPlace(); err != nil {
		g.Log.Warnf("%v: events don't say in which container they were", err)
	}
	if g.Config.ProbeAddr == "" {
		return nil
	}
	var reader procfs.Reader
	hello := event.Hello{Mode: mode, NSID: reader.PIDNamespace(), Args: g.Config.Args}
	hello.Container.ID, hello.Container.CreatedAt = g.place.ContainerID, g.Config.CreatedAt
	return NewLink(g.Config.ProbeAddr, hello, g.Log)
}

// connect waits for the probe as configured, and gives what it wants to know.
func (g *Guard) connect(link *Link, gone <-chan struct{}) (event.Interest, error) {
	if link == nil || g.Config.Async {
		return event.All(), nil
	}
	var limit <-chan time.Time
	if g.Config.Wait > 0 {
		limit = time.After(g.Config.Wait)
	}
	for said := false; ; said = true {
		interest, err := link.Connect()
		if err == nil {
			return orAll(interest), nil
		}
		if !said {
			g.say("waiting for the probe at %s before the application starts: %v (start system-probe, or use --async)", g.Config.ProbeAddr, cause(err))
		}
		select {
		case <-gone:
			return event.Interest{}, ErrLauncherGone
		case <-limit:
			g.say("no probe at %s within %v: the application starts without it, and events wait", g.Config.ProbeAddr, g.Config.Wait)
			return event.All(), nil
		case <-time.After(retryEvery):
		}
	}
}

// say tells the user what he waits for, whatever the level of the log.
func (g *Guard) say(format string, args ...any) { g.Log.Warnf(format, args...) }

// cause is the end of a chain of wrapped errors, the part that a person needs.
func cause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}

func orAll(interest *event.Interest) event.Interest {
	if interest == nil {
		return event.All()
	}
	return *interest
}

// trap decides how calls are made to stop.
func (g *Guard) trap(interest event.Interest) {
	c := g.Memory.Control
	c.SetInterest(interest)
	if !g.Config.Seccomp {
		return
	}
	if err := seccomp.Supported(); err != nil {
		g.say("%v: every system call stops, which costs time", err)
		return
	}
	c.Filtered = 1
}

// Errors of a loop that did not say why.
var (
	errEnded  = errors.New("the tracing loop ended before it had attached")
	errKilled = errors.New("the tracing loop was killed before it had attached")
)

const (
	// startTries is how many loops may end by themselves before tracing is given up.
	startTries = 5
	// killLimit is how long loops may be killed before tracing is given up: it says nothing of the next one.
	killLimit = 10 * time.Second
)

// start brings the loop to life, again where one is killed meanwhile, and waits until it has attached.
func (g *Guard) start(dog *Watchdog) error {
	deadline, tries := time.Now().Add(killLimit), 0
	for {
		err := g.startOnce(dog)
		switch {
		case errors.Is(err, errEnded):
			tries++
		case !errors.Is(err, errKilled):
			return err
		}
		if tries == startTries || time.Now().After(deadline) {
			dog.free()
			return err
		}
		g.Log.Warnf("%v (pid %d); a new one is started", err, dog.loop)
	}
}

func (g *Guard) startOnce(dog *Watchdog) error {
	if err := dog.Start(); err != nil {
		return err
	}
	c := g.Memory.Control
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Microsecond) {
		switch c.State() {
		case shared.Tracing, shared.Done:
			return nil
		case shared.Failed:
			return Refusal(int(c.FailedAt), unix.Errno(c.Failure))
		}
		switch stop, gone := dog.ended(); {
		case gone && stop.Reason == ptrace.Killed:
			return errKilled
		case gone:
			return errEnded
		}
	}
	return errors.New("the tracing loop did not attach within 30 s")
}

// stay sends and watches until no task is left.
func (g *Guard) stay(dog *Watchdog, link *Link) error {
	os.WriteFile("/proc/self/oom_score_adj", []byte("-1000"), 0o644) // refused without CAP_SYS_RESOURCE
	if link != nil {
		go link.Keep()
	}
	done, sent := make(chan struct{}), make(chan struct{})
	sender := NewSender(g.Memory, link, host.NewNames(), newPlaces(g.place, g.Memory.Control.Attached != 0), g.scan(link, done), g.Log)
	go func() {
		defer close(sent)
		sender.Run(done)
	}()
	err := dog.Watch()
	close(done)
	g.Memory.Wake()
	<-sent
	return err
}

// scan looks for other processes where the probe expects that of a tracer. With a filter or without, what is traced is
// left out, and so are the tracer's own processes.
func (g *Guard) scan(link *Link, done <-chan struct{}) <-chan *event.Event {
	if link == nil || g.Config.ScanEvery <= 0 {
		return nil
	}
	found := make(chan *event.Event, 64)
	c := g.Memory.Control
	traced := func(pid int) bool {
		return pid == int(c.GuardPID) || pid == int(c.LoopPID) || g.Memory.Find(pid) != nil
	}
	wanted := func() bool {
		conn := link.Current()
		return conn != nil && !conn.Answered()
	}
	go host.NewScan("/proc", host.NewNames(), traced).Run(g.Config.ScanEvery, done, wanted, found)
	return found
}
