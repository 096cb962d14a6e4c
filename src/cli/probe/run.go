package probe

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"time"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

type runFlags struct {
	policies string
	outputs  []string
	pretty   bool
	portFile string
}

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{Use: "run", Short: "Listen for tracers and report what rules forbid", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd, &f) }}
	cmd.Flags().StringVar(&f.policies, "policies", "", "directory of *.policy files (default: policies.dir of the configuration)")
	cmd.Flags().StringArrayVarP(&f.outputs, "output", "o", []string{"-"}, "where detections go, repeatable: a file that gets a line of JSON each, journal, or - for standard output")
	cmd.Flags().BoolVar(&f.pretty, "pretty", false, "write for people instead of JSON, in colour on a terminal")
	cmd.Flags().StringVar(&f.portFile, "port-file", "", "file that gets the number of the port which is listened on")
	return cmd
}

func run(cmd *cobra.Command, f *runFlags) error {
	c, err := load(cmd)
	if err != nil {
		return err
	}
	if !c.Enabled || !c.EBPFLess {
		return refuse("set runtime_security_config.enabled and .ebpfless.enabled, or DD_RUNTIME_SECURITY_CONFIG_ENABLED=true and DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true",
			"runtime security without eBPF is not switched on")
	}
	if f.policies == "" {
		f.policies = c.PolicyDir
	}
	log, err := logger(c, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	sink, closeOutputs, err := outputs(f, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	defer closeOutputs()
	p := &process{log: log, flags: f, model: probe.NewModel(), host: thisHost(c), enforcement: c.Enforcement}
	p.engine = probe.NewEngine(p.model, facts(c), c.EventBurst, c.EventRate, sink.Put)
	actors, err := actors(c, log)
	if err != nil {
		return refuse("correct runtime_security_config.enforcement; nothing was started", "%v", err)
	}
	p.engine.Act(actors)
	p.engine.Notices(sink.Put)
	packages := host.NewPackages(os.Getenv("HOST_ROOT"), log)
	p.engine.Packages(packages.Of)
	p.began = secl.Fingerprint(f.policies)
	if err := p.reload(); err != nil {
		return refuse("correct it; nothing was started", "%v", err)
	}
	if p.engine.AsksForPackages() {
		packages.Load() // or the first events would be answered wrongly
	}
	done := make(chan struct{})
	defer close(done)
	go packages.Watch(done)
	err = p.serve(c)
	p.engine.Finish()
	return errors.Join(err, sink.Close())
}

// process is a probe that runs.
type process struct {
	log         *logrus.Entry
	flags       *runFlags
	model       *secl.Model[probe.Context]
	host        secl.Host
	enforcement bool
	engine      *probe.Engine
	began       string // fingerprint of the policies when they were read first
}

// serve listens until a signal ends it.
func (p *process) serve(c *config.Config) error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	p.recall()
	server, err := probe.Listen(c.Socket, p.engine, p.log)
	if err != nil {
		return fmt.Errorf("%w (another probe may run; runtime_security_config.ebpfless.socket names the address)", err)
	}
	server.ReadProcesses(procMount())
	if err := p.announce(server); err != nil {
		return err
	}
	if c.WatchHost {
		end := p.watch()
		defer func() {
			n := end()
			p.log.Infof("of programs that no tracer reports %d were seen, %d had ended before they could be", n.Described, n.Missed)
		}()
	}
	done := make(chan struct{})
	defer close(done)
	ready(func() { p.engine.Counts() }, done)
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	changed := make(chan struct{})
	if c.PolicyWatch {
		go watchPolicies(p.flags.policies, p.began, watchEvery, changed, done)
	}
	alive := time.NewTicker(heartbeatEvery)
	defer alive.Stop()
	for {
		select {
		case err := <-served:
			return err
		case s := <-signals:
			if s != unix.SIGHUP {
				server.Close()
				p.sumUp()
				return nil
			}
			p.change(server)
		case <-changed:
			p.change(server)
		case <-alive.C:
			p.engine.TellAlive()
		}
	}
}

// heartbeatEvery is how often those who read detections are told that their silence is no failure.
const heartbeatEvery = 10 * time.Minute

// change puts the policies in force as they are now, and tells for which tracers they are too much.
func (p *process) change(server *probe.Server) {
	if err := p.reload(); err != nil {
		p.log.Errorf("%v; the rules of before stay in force", err)
		return
	}
	server.TellOutgrown()
}

func (p *process) sumUp() {
	counts := p.engine.Counts()
	p.log.Infof("ended after %d events and %d detections (%d more held back by rate limits)", counts.Events, counts.Detections, counts.Limited)
	for _, id := range slices.Sorted(maps.Keys(counts.HeldBack)) {
		p.log.Warnf("%d detections of rule %q were held back by its rate limit", counts.HeldBack[id], id)
	}
}

func (p *process) announce(server *probe.Server) error {
	p.log.Infof("listening for tracers at %s", server.Addr())
	if p.flags.portFile == "" {
		return nil
	}
	if err := os.WriteFile(p.flags.portFile, []byte(strconv.Itoa(server.Addr().Port)+"\n"), 0o644); err != nil {
		return fmt.Errorf("write port: %w", err)
	}
	return nil
}

// reload puts the policies in force as they are now. Rules that are refused are told and left out; a file or directory
// that can't be read leaves the rules as they are.
func (p *process) reload() error {
	rules, err := probe.LoadPolicies(p.model, p.flags.policies, p.host, p.enforcement)
	if err != nil {
		return err
	}
	for _, o := range rules.Outcomes {
		if o.Status == secl.Failed && o.RuleID == "" {
			return errors.New(o.String())
		}
		if o.Status == secl.Failed {
			p.log.Warn(o.String())
		}
		for _, warning := range o.Warnings {
			p.log.Infof("%s:%d: rule %q: %s", o.File, o.Line, o.RuleID, warning)
		}
	}
	if len(rules.Rules) == 0 {
		p.log.Warnf("no rule is in force: put *.policy files into %s", p.flags.policies)
	}
	p.engine.SetRules(rules)
	p.engine.TellRules()
	p.log.Infof("%d rules are in force", len(rules.Rules))
	return nil
}
