// Ordinary does what machines do all day under the tracer, before one probe with the default policy, and fails on the first
// detection: packages are installed and upgraded, logs rotated, tasks run by cron, a user logs in by ssh, servers work under
// load, a program is built. It prints how many events each of them made, so that silence is worth something.
//
// Usage: go run ./tests/ordinary [-for DURATION] [-only NAME] BIN, the folder of the programs, from the root of the sources.
// Needs root, overlayfs, a network for apt-get, nginx, Redis and PostgreSQL. Nothing that is written stays.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/tests/stage"
)

func main() {
	lasting := flag.Duration("for", 0, "how long; every work is done at least once")
	only := flag.String("only", "", "the one work to do, after those that others need")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: ordinary [-for DURATION] [-only NAME] BIN")
		os.Exit(2)
	}
	status, err := run(flag.Arg(0), *only, *lasting)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ordinary:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

func run(bin, only string, lasting time.Duration) (int, error) {
	if !stage.Entered() {
		return stage.Enter(0, "sh", "-eu", "-c", `. tests/stage/layers.sh; exec "$@"`, "stage")
	}
	tracer, err := filepath.Abs(filepath.Join(bin, "cws-instrumentation"))
	if err != nil {
		return 1, err
	}
	rules, err := stage.Load(stage.Policy)
	if err != nil {
		return 1, err
	}
	detections := 0
	p, err := stage.Start(rules, func(d *probe.Detection) {
		detections++
		fmt.Printf("DETECTED %s: %s\n", d.Agent.RuleID, describe(d))
	})
	if err != nil {
		return 1, err
	}
	d := &day{probe: p, tracer: tracer}
	err = d.pass(only, lasting)
	if closing := p.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return 1, err
	}
	counts := p.Counts()
	fmt.Printf("\n%d events by %d rules' judgement: %v\n%d detections\n", counts.Events, len(rules.Rules), counts.Kinds, detections)
	if detections > 0 {
		return 1, nil
	}
	return 0, nil
}

func describe(d *probe.Detection) string {
	var line []string
	for p := d.Process; p != nil; p = p.Parent {
		line = append(line, strings.Join(append([]string{p.Argv0}, p.Args...), " "))
	}
	for _, p := range d.Process.Ancestors {
		if p.Executable != nil {
			line = append(line, p.Executable.Path)
		}
	}
	text := strings.Join(line, " < ")
	if d.File != nil {
		text = d.File.Path + ": " + text
	}
	return text
}
