package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// theatre is what all acts share.
type theatre struct {
	tracer  string // the program
	stage   string // the script
	program string // act.c, built
	model   *secl.Model[probe.Context]
	rules   *secl.RuleSet[probe.Context]
}

// outcome is what came of an act.
type outcome struct {
	rules  []string // that hit, sorted, each once
	kinds  map[string]uint64
	status int
	output string
}

// outside marks an act that happens on the host, in a trial of containers.
const outside = "outside a container"

// limit is for one act; none takes a second on an idle machine.
const limit = 30 * time.Second

// perform runs one act before a probe of its own.
func (th *theatre) perform(t *trial, a act) (*outcome, error) {
	hits := map[string]bool{}
	engine := probe.NewEngine(th.model, probe.Facts{}, 1000, 1000, func(d *probe.Detection) { hits[d.Agent.RuleID] = true })
	engine.SetRules(th.rules)
	log := logrus.New()
	log.SetOutput(io.Discard)
	server, err := probe.Listen("127.0.0.1:0", engine, logrus.NewEntry(log))
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	out, err := th.run(t, a, server.Addr().String())
	if err == nil {
		err = untilGone(server)
	}
	server.Close()
	if err := errors.Join(err, <-served); err != nil {
		return out, err
	}
	for rule := range hits {
		out.rules = append(out.rules, rule)
	}
	slices.Sort(out.rules)
	out.kinds = engine.Counts().Kinds
	return out, nil
}

func (th *theatre) run(t *trial, a act, addr string) (*outcome, error) {
	log, err := os.CreateTemp("", "detections")
	if err != nil {
		return nil, err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	user := "root"
	if a.asUser {
		user = "nobody"
	}
	cmd := exec.Command("sh", th.stage, th.tracer, addr, user, th.program)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "SETUP=" + t.setup, "ACT=" + a.script}
	if t.place != "" && !strings.Contains(a.name, outside) {
		cmd.Env = append(cmd.Env, "DD_CONTAINER_ID="+t.place)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &unix.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	late := time.AfterFunc(limit, func() { unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	defer late.Stop()
	err = cmd.Wait()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		return nil, err
	}
	text, err := os.ReadFile(log.Name())
	return &outcome{status: cmd.ProcessState.ExitCode(), output: strings.TrimSpace(string(text))}, err
}

// untilGone waits until the tracer has sent everything and left.
func untilGone(server *probe.Server) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if server.Clients() == 0 {
			return nil
		}
	}
	return fmt.Errorf("the tracer did not leave within %v", limit)
}

// judge tells what is wrong with an outcome: the empty string for nothing. kind is the type of the rule's events.
func judge(t *trial, a act, kind string, out *outcome) string {
	switch {
	case out.status != 0:
		return fmt.Sprintf("the script ended with %d: %s", out.status, out.output)
	case out.kinds[kind] == 0:
		return fmt.Sprintf("no %s event was seen at all, so nothing was tried", kind)
	case a.hostile && len(out.rules) == 0:
		return "not detected; " + out.output
	case a.hostile && !slices.Equal(out.rules, []string{t.rule}):
		return "detected by " + strings.Join(out.rules, ", ")
	case !a.hostile && len(out.rules) > 0:
		return "detected, wrongly, by " + strings.Join(out.rules, ", ")
	}
	return ""
}

// missing names what a trial needs and this machine hasn't.
func (t *trial) missing() string {
	switch t.needs {
	case "":
		return ""
	case "modules":
		if _, err := os.Stat("/proc/modules"); err != nil {
			return "this kernel has no modules, and refuses the call before anybody is asked"
		}
		return ""
	}
	return fmt.Sprintf("nobody knows what it needs: %q", t.needs)
}

func loadPolicy(file string) (*secl.Model[probe.Context], *secl.RuleSet[probe.Context], error) {
	model := probe.NewModel()
	rules := probe.Rules(model, []*secl.Policy{secl.LoadFile(file)}, secl.Host{OS: "linux", Origin: "ebpfless"})
	for _, o := range rules.Outcomes {
		if o.Status != secl.Loaded || len(o.Warnings) > 0 {
			return nil, nil, fmt.Errorf("%v %v", o, o.Warnings)
		}
	}
	return model, rules, nil
}

// buildActs compiles the program that does what a shell can't.
func buildActs(dir string) (string, error) {
	file := filepath.Join(dir, "act")
	output, err := exec.Command("gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o", file, "tests/detections/acts/act.c").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %q: %w\n%s", file, err, output)
	}
	return file, nil
}
