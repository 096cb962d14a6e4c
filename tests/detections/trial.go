package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// trial is one rule's file: what an intruder does, and what merely looks like it.
type trial struct {
	rule  string
	note  string // the file's comment
	needs string // a feature of the kernel without which the attack can't even be tried; empty for none
	place string // id of the container that it happens in; empty for none
	setup string // run before the tracer, unseen by it
	acts  []act
}

// act is a script that is run under the tracer.
type act struct {
	name    string // "attack", "benign by the package manager"
	hostile bool
	asUser  bool // by nobody instead of root
	script  string
}

// asNobody ends the names of acts that a plain user does.
const asNobody = " as nobody"

// readTrials reads the files of a folder, by the rule that each is about.
func readTrials(dir string) (map[string]*trial, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	trials := map[string]*trial{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		t, err := parseTrial(strings.TrimSuffix(filepath.Base(file), ".txtar"), text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		trials[t.rule] = t
	}
	return trials, nil
}

func parseTrial(rule string, text []byte) (*trial, error) {
	archive := txtar.Parse(text)
	t := &trial{rule: rule}
	for line := range strings.Lines(string(archive.Comment)) {
		line = strings.TrimSpace(line)
		if feature, ok := strings.CutPrefix(line, "needs: "); ok {
			t.needs = feature
			continue
		}
		if id, ok := strings.CutPrefix(line, "container: "); ok {
			t.place = id
			continue
		}
		t.note += line
	}
	for _, f := range archive.Files {
		kind, _, _ := strings.Cut(f.Name, " ")
		switch kind {
		case "setup":
			t.setup = string(f.Data)
		case "attack", "benign":
			t.acts = append(t.acts, act{
				name: f.Name, hostile: kind == "attack", asUser: strings.HasSuffix(f.Name, asNobody), script: string(f.Data),
			})
		default:
			return nil, fmt.Errorf("section %q is neither setup, attack nor benign", f.Name)
		}
	}
	if t.count(true) == 0 || t.count(false) == 0 {
		return nil, fmt.Errorf("%d attacks and %d benign look-alikes: at least one of each is needed", t.count(true), t.count(false))
	}
	return t, nil
}

func (t *trial) count(hostile bool) (n int) {
	for _, a := range t.acts {
		if a.hostile == hostile {
			n++
		}
	}
	return n
}
