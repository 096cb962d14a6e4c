package probe

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/probe/digest"
	"github.com/ebpfless/ebpfless/src/probe/enforce"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Actors carry out what rules ask for beside being told.
type Actors struct {
	Killer     *enforce.Killer
	Limits     enforce.Limits // of what one rule kills
	Hasher     *digest.Hasher // nil: files are not hashed
	HashEvents []string       // types of events whose files are hashed
	Proc       string         // mount point of the proc file system
	Log        *logrus.Entry
}

const (
	maxWaiting = 64              // detections that wait for what their actions bring
	exitLimit  = 2 * time.Second // for a killed process to end
)

// actions is what an engine knows of the actions of its rules.
type actions struct {
	Actors
	disarmers map[string]*enforce.Disarmer // by rule
	slots     chan struct{}
	waiting   sync.WaitGroup
}

func newActions(actors Actors) *actions {
	if actors.Log == nil {
		silent := logrus.New()
		silent.SetOutput(io.Discard)
		actors.Log = logrus.NewEntry(silent)
	}
	return &actions{Actors: actors, disarmers: map[string]*enforce.Disarmer{}, slots: make(chan struct{}, maxWaiting)}
}

// deed is an action that was carried out, or begun.
type deed struct {
	report any              // what the detection says of it
	finish func(*Detection) // what takes time; nil when all is done
	drop   func()           // instead of finish: nobody will be told
	urgent bool             // it must be told, whatever the rate
}

// act does what a rule asks for.
func (e *Engine) act(rule *secl.Rule[Context]) []deed {
	var deeds []deed
	for _, a := range rule.Actions {
		if a.Filter != nil && !a.Filter.Eval(&e.context) {
			continue
		}
		switch {
		case a.Set != nil:
			e.set(a.Set)
		case a.Log != nil:
			e.actions.log(a.Log, rule, &e.context)
		case a.Kill != nil:
			deeds = append(deeds, e.kill(rule, a))
		case a.Hash != nil:
			deeds = append(deeds, e.hash(a.Hash))
		}
	}
	return deeds
}

func (e *Engine) set(a *secl.Assignment[Context]) {
	p := e.context.Process
	if pid, named := a.PID(&e.context); named {
		if p = e.tree.Find(p.NSID, uint32(pid)); p == nil {
			return
		}
	}
	if store := e.context.variables.store(p, a.Variable.Scope, e.tree); store != nil {
		store.Set(a.Variable, a.Value(&e.context), a.Append, time.Now().UnixNano())
	}
}

// levels are those of the action log, which names one that the log doesn't have.
func (a *actions) log(l *secl.LogAction, rule *secl.Rule[Context], c *Context) {
	level, err := logrus.ParseLevel(l.Level)
	if err != nil || level < logrus.ErrorLevel { // critical; what is below it would end the probe
		level = logrus.ErrorLevel
	}
	text := l.Message
	if text == "" {
		text = title(rule.Def)
	}
	a.Log.Logf(level, "rule %s, pid %d, %s: %s", rule.Def.ID, c.Process.PID, strconv.Quote(c.Process.Program.File.Path), text)
}

// kill signals the process of the event, or all of its container or control group.
func (e *Engine) kill(rule *secl.Rule[Context], action *secl.BoundAction[Context]) deed {
	c, now := &e.context, time.Now()
	doc := &killDoc{
		Type: "kill", Signal: unix.SignalName(action.Signal), Scope: action.Kill.Scope, Status: "error",
		CreatedAt: date(c.Process.Created()), DetectedAt: date(uint64(now.UnixNano())),
	}
	if doc.Scope == "" {
		doc.Scope = "process"
	}
	if e.actions.Killer == nil {
		doc.Error = "this probe kills nothing"
		return deed{report: doc}
	}
	targets, err := e.targets(doc.Scope)
	if err != nil {
		doc.Error = err.Error()
		return deed{report: doc}
	}
	limited := enforce.Limited{Containers: !action.Kill.DisableContainerDisarmer, Executables: !action.Kill.DisableExecutableDisarmer}
	by, ok := e.actions.disarmer(rule.Def.ID).Allow(c.Process.ContainerID, c.Process.Program.File.Path,
		fmt.Sprint(c.Process.NSID, c.Process.PID, c.Process.ForkTime), limited, now)
	if !ok {
		doc.Status, doc.DisarmerType = "rule_disarmed", by
		e.actions.Log.Warnf("rule %s is disarmed: in a while it would kill more than enforcement.disarmer.%s.max_allowed lets it", rule.Def.ID, by)
		return deed{report: doc}
	}
	victims, err := e.actions.Killer.Kill(targets, action.Signal)
	if err != nil {
		doc.Error = err.Error()
		e.actions.Log.Warnf("rule %s: %v", rule.Def.ID, err)
	}
	if len(victims) == 0 {
		return deed{report: doc}
	}
	if doc.Status = "performed"; err != nil {
		doc.Status = "partially_performed"
	}
	killed := time.Now()
	doc.KilledAt = date(uint64(killed.UnixNano()))
	for _, v := range victims {
		doc.PIDs = append(doc.PIDs, v.PID)
	}
	d := deed{report: doc, urgent: true}
	if action.Signal == unix.SIGKILL {
		d.finish = func(*Detection) {
			if e.actions.Killer.Wait(victims, exitLimit) {
				ended := time.Now()
				doc.ExitedAt, doc.TTR = date(uint64(ended.UnixNano())), ended.Sub(now).String()
			}
		}
	}
	return d
}

func (a *actions) disarmer(rule string) *enforce.Disarmer {
	if a.disarmers[rule] == nil {
		a.disarmers[rule] = enforce.NewDisarmer(a.Limits)
	}
	return a.disarmers[rule]
}

// target is a process with a moment at which it was alive: that of the event for the one that did it, whose beginning may
// lie before the clock was set.
func (c *Context) target(p *Process) enforce.Target {
	since := p.Created()
	if since == 0 || p == c.Process && c.Event.Time != 0 {
		since = c.Event.Time
	}
	return enforce.Target{NSID: p.NSID, PID: p.PID, Since: since}
}

// targets are the processes that a scope stands for. Outside a container or group there are none: that a rule meant a
// container must not end a service of the host.
func (e *Engine) targets(scope string) ([]enforce.Target, error) {
	c, target := e.context.Process, e.context.target
	var same func(*Process) bool
	switch {
	case scope == "process":
		return []enforce.Target{target(c)}, nil
	case scope == "container" && c.ContainerID != "":
		same = func(p *Process) bool { return p.ContainerID == c.ContainerID }
	case scope == "cgroup" && c.CGroupID != "":
		same = func(p *Process) bool { return p.CGroupID == c.CGroupID && p.ContainerID == c.ContainerID }
	default:
		return nil, fmt.Errorf("pid %d is in no %s", c.PID, scope)
	}
	targets := []enforce.Target{target(c)}
	e.tree.Each(func(p *Process) {
		if p != c && same(p) {
			targets = append(targets, target(p))
		}
	})
	return targets, nil
}

// hash opens the file at once, before it can be removed, and reads it later.
func (e *Engine) hash(action *secl.HashAction) deed {
	c, a := &e.context, e.actions
	file, owner, docs := hashed(c, action.Field)
	doc := &hashDoc{Type: "hash", Path: pathOf(file), State: string(digest.NotAsked)}
	if a.Hasher == nil || !slices.Contains(a.HashEvents, c.Event.Kind.String()) {
		return deed{report: doc}
	}
	inode, executable := file.Inode, owner != nil
	if owner == nil {
		owner = c.Process
	}
	target, path, container := c.target(owner), pathOf(file), owner.ContainerID
	open := func() (*os.File, digest.State) {
		return a.Hasher.Open(a.namesOf(target, path, container, executable), inode)
	}
	drop := func() {}
	if a.Killer == nil || a.Killer.Near(target) {
		f, state := open()
		open = func() (*os.File, digest.State) { return f, state }
		drop = func() { f.Close() } // of nil, too
	}
	doc.State = string(digest.RateLimited)
	return deed{report: doc, drop: drop, finish: func(d *Detection) {
		f, state := open()
		var sums []string
		if f != nil {
			sums, state = a.Hasher.Sum(f, action.MaxFileSize)
			f.Close()
		}
		doc.State = string(state)
		for _, at := range docs(d) {
			at.HashState, at.Hashes = string(state), sums
		}
	}}
}

// namesOf are the names under which a file of a process may be opened from here.
func (a *actions) namesOf(of enforce.Target, path, container string, executable bool) []string {
	var names []string
	if a.Killer != nil {
		if pid, err := a.Killer.Find(of); err == nil {
			process := a.Proc + "/" + strconv.Itoa(pid)
			if executable {
				names = append(names, process+"/exe")
			}
			if path != "" {
				names = append(names, process+"/root"+path)
			}
		}
	}
	if path != "" && container == "" {
		names = append(names, path)
	}
	return names
}

// hashed finds the file that a field stands for, the process that it is the executable of (nil for others), and where a
// detection shows it.
func hashed(c *Context, field string) (*event.File, *Process, func(*Detection) []*fileDoc) {
	switch {
	case field == "process.file" || field == "exec.file" || field == "exit.file":
		return &c.Process.Program.File, c.Process, func(d *Detection) []*fileDoc {
			if c.Event.Kind == event.Exec || c.Event.Kind == event.Exit {
				return []*fileDoc{d.File, d.Process.Executable}
			}
			return []*fileDoc{d.Process.Executable}
		}
	case field == "process.parent.file" && c.Process.Parent != nil:
		return &c.Process.Parent.Program.File, c.Process.Parent, func(d *Detection) []*fileDoc { return []*fileDoc{d.Process.Parent.Executable} }
	case strings.HasSuffix(field, ".file.destination"):
		return &c.Event.Destination, nil, func(d *Detection) []*fileDoc { return []*fileDoc{d.File.Destination} }
	}
	return &c.Event.File, nil, func(d *Detection) []*fileDoc { return []*fileDoc{d.File} }
}

// report hands a detection on when its actions have brought what they can. Where too many wait already, it goes as it is.
func (e *Engine) report(d *Detection, deeds []deed) {
	waits := false
	for _, deed := range deeds {
		d.Agent.RuleActions = append(d.Agent.RuleActions, deed.report)
		waits = waits || deed.finish != nil
	}
	if !waits {
		e.detect(d)
		return
	}
	select {
	case e.actions.slots <- struct{}{}:
	default:
		drop(deeds)
		e.detect(d)
		return
	}
	e.actions.waiting.Add(1)
	go func() {
		defer e.actions.waiting.Done()
		for _, deed := range deeds {
			if deed.finish != nil {
				deed.finish(d)
			}
		}
		<-e.actions.slots
		e.detect(d)
	}()
}

func drop(deeds []deed) {
	for _, deed := range deeds {
		if deed.drop != nil {
			deed.drop()
		}
	}
}

func urgent(deeds []deed) bool {
	return slices.ContainsFunc(deeds, func(d deed) bool { return d.urgent })
}

// Finish waits for the detections that wait for their actions.
func (e *Engine) Finish() { e.actions.waiting.Wait() }
