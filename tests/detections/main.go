// Detections shows what the default policy is worth: for each of its rules something hostile is really done under the
// tracer, harmlessly, and must be detected by that rule and no other; and something that looks like it must be detected by
// none. It prints a row for each rule, and which rules stand for which technique of ATT&CK.
//
// Usage: go run ./tests/detections [-only RULE] [-v] BIN, the folder of the programs, from the root of the sources. Needs
// root, gcc and overlayfs.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ebpfless/ebpfless/tests/stage"
	"golang.org/x/sys/unix"
)

func main() {
	only := flag.String("only", "", "the one rule to try")
	verbose := flag.Bool("v", false, "print what the scripts print")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: detections [-only RULE] [-v] BIN")
		os.Exit(2)
	}
	status, err := run(flag.Arg(0), *only, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "detections:", err)
		os.Exit(1)
	}
	os.Exit(status)
}

// trialsDir holds a file for each rule, from the root of the sources.
const trialsDir = "tests/detections/cases"

func run(bin, only string, verbose bool) (int, error) {
	if !stage.Entered() {
		return stage.Enter(unix.CLONE_NEWNET)
	}
	if err := raiseNetwork(); err != nil {
		return 1, err
	}
	tracer, err := filepath.Abs(filepath.Join(bin, "cws-instrumentation"))
	if err != nil {
		return 1, err
	}
	dir, err := os.MkdirTemp("", "detections")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	program, err := buildActs(dir)
	if err != nil {
		return 1, err
	}
	trials, err := readTrials(trialsDir)
	if err != nil {
		return 1, err
	}
	rules, err := stage.Load(stage.Policy)
	if err != nil {
		return 1, err
	}
	th := &theatre{tracer: tracer, stage: "tests/detections/stage.sh", program: program, rules: rules}
	r := &report{verbose: verbose}
	for _, rule := range rules.Rules {
		if only == "" || only == rule.Def.ID {
			r.try(th, rule, trials[rule.Def.ID])
		}
	}
	r.strangers(trials, rules)
	return r.finish(), nil
}
