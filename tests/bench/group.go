package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// group is a control group that this program is in with all that it starts, so that their processor time is known even where
// other work runs beside. Tracers are no children of anybody's, but they stay in the group.
type group struct {
	dir    string
	former string // where this program was
	read   func(dir string) float64
}

// hierarchies are where groups that count processor time may be: version 1, and version 2 alone or beside it.
var hierarchies = []struct {
	mount string
	read  func(dir string) float64
}{
	{"/sys/fs/cgroup/cpuacct", func(dir string) float64 { return numberAfter(dir+"/cpuacct.usage", "") / 1e9 }},
	{"/sys/fs/cgroup/unified", usageOfV2},
	{"/sys/fs/cgroup", usageOfV2},
}

func usageOfV2(dir string) float64 { return numberAfter(dir+"/cpu.stat", "usage_usec ") / 1e6 }

// enterGroup is nil where no group can be made; why is said.
func enterGroup() *group {
	for _, h := range hierarchies {
		dir := filepath.Join(h.mount, "ebpfless-bench-"+strconv.Itoa(os.Getpid()))
		if os.Mkdir(dir, 0o755) != nil {
			continue
		}
		g := &group{dir: dir, former: h.mount, read: h.read}
		if g.move(dir) == nil {
			return g
		}
		os.Remove(dir)
	}
	fmt.Fprintln(os.Stderr, "bench: no control group can be made: the processor's time is that of the whole machine, on which nothing else may run")
	return nil
}

func (g *group) move(to string) error {
	return os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0o644)
}

// used is the processor time of the group until now, in seconds.
func (g *group) used() float64 { return g.read(g.dir) }

// leave takes this program out again; what it has started must have ended.
func (g *group) leave() {
	if g.move(g.former) == nil {
		os.Remove(g.dir)
	}
}

// numberAfter reads the number that follows a word in a file, 0 without one.
func numberAfter(file, word string) float64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), word)
	number, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	value, _ := strconv.ParseFloat(number, 64)
	return value
}
