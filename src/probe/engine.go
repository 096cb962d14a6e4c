package probe

import (
	"sync"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

// Engine turns events into detections. It is safe for concurrent use: events of all tracers go through it one by one, in
// the order of their coming.
type Engine struct {
	model  *secl.Model[Context]
	facts  Facts
	detect func(*Detection)
	tell   func(*Detection) // of notices; nil: nobody wants them

	lock      sync.Mutex
	tree      *Tree
	rules     *secl.RuleSet[Context]
	limiter   *limiter
	hellos    bucket
	packages  packageLookup // nil: nobody knows them
	actions   *actions
	variables *variables
	context   Context
	absent    []absent
	counts    Counts
	kinds     [64]uint64 // events by event.Kind, as many as a Set holds
	hit       func(*secl.Rule[Context])
}

// Facts are what every detection says of this host and probe.
type Facts struct {
	Version       string
	Hostname      string
	Arch          string
	KernelVersion string
	Distribution  string
	EnvsWithValue []string // names of the variables of which "envs" has the value, too
}

// Counts are totals since the start.
type Counts struct {
	Events     uint64
	Detections uint64
	Limited    uint64            // detections that a rate limit held back
	HeldBack   map[string]uint64 // the same by rule, of those that had any
	Processes  int
	Kinds      map[string]uint64 // events by their type in rules
}

// NewEngine makes an engine without rules. detect must be safe for concurrent use, and must not block: the engine may be
// locked.
func NewEngine(model *secl.Model[Context], facts Facts, burst, rate int, detect func(*Detection)) *Engine {
	e := &Engine{model: model, facts: facts, detect: detect, tree: NewTree(), limiter: newLimiter(burst, rate), variables: newVariables(),
		hellos: bucket{tokens: helloBurst}}
	e.tree.valued = facts.EnvsWithValue
	e.rules = secl.NewRuleSet(model, nil, secl.Options{})
	e.hit = e.onHit
	e.Act(Actors{})
	return e
}

// Act sets who carries out what rules ask for. Call it before the first event.
func (e *Engine) Act(actors Actors) { e.actions = newActions(actors) }

// SetRules puts rules in force; no event falls between the old and the new.
func (e *Engine) SetRules(rules *secl.RuleSet[Context]) {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.rules = rules
	clear(e.actions.disarmers)
}

// always are the kinds without which the tree would be wrong, whatever the rules ask for.
var always = event.SetOf(event.Exec, event.Fork, event.Exit, event.SetUID, event.SetGID, event.SetFSUID, event.SetFSGID, event.Capset)

// Interest is what tracers must report for the rules in force.
func (e *Engine) Interest() event.Interest {
	e.lock.Lock()
	defer e.lock.Unlock()
	interest := event.Interest{Kinds: always, OpenFlags: e.rules.OpenFlags(), Signals: e.rules.Signals()}
	interest.SparedOpens, interest.UnlessOpens = e.rules.SparedOpens()
	for _, name := range e.rules.EventTypes() {
		for _, kind := range event.Kinds() {
			if kind.String() == name {
				interest.Kinds |= event.SetOf(kind)
			}
		}
	}
	return interest
}

// Counts gives the totals.
func (e *Engine) Counts() Counts {
	e.lock.Lock()
	defer e.lock.Unlock()
	e.counts.Processes = e.tree.Len()
	counts := e.counts
	counts.HeldBack = map[string]uint64{}
	for id, r := range e.limiter.rules {
		if r.heldEver > 0 {
			counts.HeldBack[id] = r.heldEver
		}
	}
	counts.Kinds = map[string]uint64{}
	for _, kind := range event.Kinds() {
		if n := e.kinds[kind]; n > 0 {
			counts.Kinds[kind.String()] += n
		}
	}
	return counts
}

// Take judges one event of a tracer in a pid namespace. The event may be kept.
func (e *Engine) Take(nsid uint64, container event.Container, ev *event.Event) {
	e.lock.Lock()
	defer e.lock.Unlock()
	if known := e.tree.Find(nsid, ev.PID); ev.Kind == event.Exec && ev.Exec.FromProcFS && known.runs(ev) {
		known.Traced = true // what a tracer has attached to was told of before
		return
	}
	e.take(nsid, container, ev).Traced = true
}

// take judges one event and gives the process that did it.
func (e *Engine) take(nsid uint64, container event.Container, ev *event.Event) *Process {
	e.counts.Events++
	e.kinds[ev.Kind%64]++
	if ev.ContainerID == "" {
		ev.ContainerID = container.ID
	}
	process := e.tree.Take(nsid, ev)
	defer e.tree.Settle(process, ev)
	if ev.ContainerID == container.ID && container.ID != "" {
		process.ContainerCreated = container.CreatedAt
	}
	if ev.Kind == event.Fork || ev.Kind == event.Unknown {
		return process
	}
	e.context = Context{Event: ev, Process: process, Hostname: e.facts.Hostname, variables: e.variables, packages: e.packages}
	switch ev.Kind {
	case event.Setrlimit:
		e.context.Target = e.tree.Find(nsid, ev.Rlimit.PID)
	case event.Ptrace:
		e.context.Target = e.tree.Find(nsid, ev.Ptrace.PID)
	}
	e.rules.Evaluate(&e.context, ev.Kind.String(), e.hit)
	return process
}

func (e *Engine) onHit(rule *secl.Rule[Context]) {
	deeds := e.act(rule)
	if rule.Def.Silent {
		drop(deeds)
		return
	}
	if !urgent(deeds) && !e.limiter.allow(rule.Def, rule.Token(&e.context), key{e.context.Process.NSID, e.context.Process.PID}, time.Now()) {
		e.counts.Limited++
		drop(deeds)
		return
	}
	e.counts.Detections++
	d := newDetection(rule, &e.context, &e.facts)
	d.tellHeldBack(e.limiter.heldBack(rule.Def.ID))
	e.report(d, deeds)
}
