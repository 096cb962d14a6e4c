package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/tests/stage"
	"golang.org/x/sys/unix"
)

// theatre is what all acts share.
type theatre struct {
	tracer  string // the program
	stage   string // the script
	program string // act.c, built
	rules   *stage.Rules
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
	p, err := stage.Start(th.rules, func(d *probe.Detection) { hits[d.Agent.RuleID] = true })
	if err != nil {
		return nil, err
	}
	out, err := th.run(t, a, p.Addr())
	if err == nil {
		err = p.WaitGone(limit)
	}
	if err := errors.Join(err, p.Close()); err != nil {
		return out, err
	}
	for rule := range hits {
		out.rules = append(out.rules, rule)
	}
	slices.Sort(out.rules)
	out.kinds = p.Counts().Kinds
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

// buildActs compiles the program that does what a shell can't.
func buildActs(dir string) (string, error) {
	file := filepath.Join(dir, "act")
	output, err := exec.Command("gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o", file, "tests/detections/acts/act.c").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build %q: %w\n%s", file, err, output)
	}
	return file, nil
}
