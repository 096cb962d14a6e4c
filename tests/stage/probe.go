package stage

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/sirupsen/logrus"
)

// Policy is the file that a fresh installation starts with, from the root of the sources.
const Policy = "packaging/etc/runtime-security.d/default.policy"

// Rules are a policy, ready for probes.
type Rules struct {
	*secl.RuleSet[probe.Context]
	model *secl.Model[probe.Context]
}

// Load reads a policy; one rule that is refused, or that reads a field which is never filled, is an error.
func Load(file string) (*Rules, error) {
	model := probe.NewModel()
	rules := probe.Rules(model, []*secl.Policy{secl.LoadFile(file)}, secl.Host{OS: "linux", Origin: "ebpfless"}, true)
	for _, o := range rules.Outcomes {
		if o.Status != secl.Loaded || len(o.Warnings) > 0 {
			return nil, fmt.Errorf("%v %v", o, o.Warnings)
		}
	}
	return &Rules{RuleSet: rules, model: model}, nil
}

// Probe is a real one, on a port of its own.
type Probe struct {
	engine *probe.Engine
	server *probe.Server
	served chan error
}

// Start brings a probe to life. detect is called for every hit of a rule, one by one; no rate limit holds any back.
func Start(rules *Rules, detect func(*probe.Detection)) (*Probe, error) {
	const unlimited = 1 << 30
	engine := probe.NewEngine(rules.model, probe.Facts{}, unlimited, unlimited, detect)
	engine.SetRules(rules.RuleSet)
	log := logrus.New()
	log.SetOutput(io.Discard)
	server, err := probe.Listen("127.0.0.1:0", engine, logrus.NewEntry(log))
	if err != nil {
		return nil, err
	}
	p := &Probe{engine: engine, server: server, served: make(chan error, 1)}
	go func() { p.served <- server.Serve() }()
	return p, nil
}

// Addr is what tracers must be given.
func (p *Probe) Addr() string { return p.server.Addr().String() }

// Counts are the totals until now.
func (p *Probe) Counts() probe.Counts { return p.engine.Counts() }

// WaitGone waits until programs have been seen, all of them have ended, and their tracers have left.
func (p *Probe) WaitGone(limit time.Duration) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		counts := p.Counts()
		if counts.Kinds["exec"] > 0 && counts.Processes == 0 && p.server.Clients() == 0 {
			return nil
		}
	}
	counts := p.Counts()
	return fmt.Errorf("after %v there are %d tracers and %d processes left, of %v", limit, p.server.Clients(), counts.Processes, counts.Kinds)
}

// Close ends the probe.
func (p *Probe) Close() error {
	p.server.Close()
	return errors.Join(<-p.served)
}
