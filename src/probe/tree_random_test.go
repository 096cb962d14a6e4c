package probe

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
)

// history makes random processes that fork, execute, end and use pids again, and keeps the line of programs of each that
// lives, worked out apart from the tree.
type history struct {
	*rand.Rand
	now   uint64
	lines map[uint32]string // as line gives them
	bare  map[uint32]bool   // runs the copy of its parent
}

const pids = 12

func newHistory(seed uint64) *history {
	return &history{Rand: rand.New(rand.NewPCG(seed, 2)), now: 1e9, lines: map[uint32]string{1: "init<"}, bare: map[uint32]bool{}}
}

// living picks a process; 1 lives always.
func (h *history) living() uint32 {
	for {
		if pid := 1 + h.Uint32N(pids); h.lines[pid] != "" {
			return pid
		}
	}
}

// step gives the next events: mostly one, and a fork with the exec that follows it, which may come first.
func (h *history) step() []*event.Event {
	h.now += 1e6
	parent, child := h.living(), 2+h.Uint32N(pids-1)
	switch h.IntN(4) {
	case 0, 1:
		if parent == child {
			return nil
		}
		var events []*event.Event
		if h.lines[child] != "" {
			events = append(events, h.exit(child))
		}
		fork := &event.Event{Kind: event.Fork, PID: child, PPID: parent, Time: h.now}
		h.lines[child], h.bare[child] = h.program(parent)+h.lines[parent], true
		if h.IntN(2) == 0 {
			return append(events, fork)
		}
		exec := h.exec(child, parent)
		if h.IntN(2) == 0 {
			return append(events, exec, fork)
		}
		return append(events, fork, exec)
	case 2:
		if parent != 1 {
			return []*event.Event{h.exec(parent, 0)}
		}
	case 3:
		if parent != 1 {
			return []*event.Event{h.exit(parent)}
		}
	}
	return nil
}

// program is the first of a process's line.
func (h *history) program(pid uint32) string {
	for i, c := range h.lines[pid] {
		if c == '<' {
			return h.lines[pid][:i+1]
		}
	}
	return ""
}

func (h *history) exec(pid, ppid uint32) *event.Event {
	name := fmt.Sprintf("p%d", h.now)
	if h.bare[pid] {
		h.lines[pid] = h.lines[pid][len(h.program(pid)):] // its own copy of the parent's program goes
	}
	h.lines[pid], h.bare[pid] = name+"<"+h.lines[pid], false
	e := executed(pid, ppid, "/bin/"+name)
	e.Time = h.now + 1
	return e
}

func (h *history) exit(pid uint32) *event.Event {
	delete(h.lines, pid)
	return &event.Event{Kind: event.Exit, PID: pid, Time: h.now}
}

// checkTree runs a history through a tree.
func checkTree(t *testing.T, seed uint64) {
	h, tree := newHistory(seed), NewTree()
	grow(tree, &event.Event{Kind: event.Exec, PID: 1, Time: 1, File: event.File{Path: "/sbin/init"}})
	for range 200 {
		grow(tree, h.step()...)
		for pid, want := range h.lines {
			p := tree.Find(testNS, pid)
			if p == nil || line(p) != want {
				t.Fatalf("seed %d: pid %d is %v, want %q", seed, pid, p, want)
			}
		}
		if tree.Len() != len(h.lines) {
			t.Fatalf("seed %d: %d processes, %d live", seed, tree.Len(), len(h.lines))
		}
	}
}

func TestTheTreeFollowsHistories(t *testing.T) {
	for seed := range uint64(500) {
		checkTree(t, seed)
	}
}

func FuzzTree(f *testing.F) {
	f.Add(uint64(0), []byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, seed uint64, noise []byte) {
		checkTree(t, seed)
		checkNoise(t, noise)
	})
}

// checkNoise feeds events in any order, with any pids: lines stay bounded and without circles, and when every pid has
// ended nothing is left.
func checkNoise(t *testing.T, noise []byte) {
	tree := NewTree()
	kinds := []event.Kind{event.Fork, event.Exec, event.Exit, event.Open, event.SetUID}
	for i, b := range noise {
		pid, ppid := uint32(b&7), uint32(b>>3&7)
		grow(tree, &event.Event{Kind: kinds[(int(b)+i)%len(kinds)], PID: pid, PPID: ppid, Time: uint64(i)})
		if p := tree.Find(testNS, pid); p != nil && (p.Parent.descends(p) || depth(p) > maxDepth) {
			t.Fatalf("%d events %v: the line of %d is a circle or too long", i, noise[:i+1], pid)
		}
	}
	for pid := range uint32(8) {
		grow(tree, &event.Event{Kind: event.Exit, PID: pid})
	}
	if tree.Len() != 0 {
		t.Fatalf("%v: %d processes are left after all have ended", noise, tree.Len())
	}
}

func TestTheTreeWithstandsNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		noise := make([]byte, 600)
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		checkNoise(t, noise)
	}
}

// Each process forks the next and ends, as programs do that restart themselves: what has ended must not be kept for ever.
func TestAnEndlessLineOfProcessesIsBounded(t *testing.T) {
	for name, late := range map[string]bool{"forks first": false, "execs first": true} {
		tree := NewTree()
		grow(tree, executed(1, 0, "/bin/first"))
		longest := 0
		for i := uint32(2); i < 5000; i++ {
			fork, exec := forked(i, i-1), executed(i, i-1, fmt.Sprintf("/bin/%d", i))
			if late {
				fork, exec = exec, fork
			}
			grow(tree, fork, exec, &event.Event{Kind: event.Exit, PID: i - 1})
			n := 0
			for p := tree.Find(testNS, i); p != nil; p = p.Parent {
				n++
			}
			longest = max(longest, n)
		}
		if longest > maxDepth || longest < maxDepth/2 || tree.Len() != 1 {
			t.Errorf("%s: %d ancestors, %d processes", name, longest, tree.Len())
		}
	}
}

// Events of processes whose start and end nobody reports fill the tree no further than its bound.
func TestAFullTreeForgets(t *testing.T) {
	tree := NewTree()
	for pid := range uint32(maxLive + 3*sweepEvery) {
		grow(tree, &event.Event{Kind: event.Open, PID: pid})
	}
	if tree.Len() > maxLive {
		t.Errorf("%d processes", tree.Len())
	}
	grow(tree, executed(7, 0, "/bin/a"))
	if tree.Find(testNS, 7) == nil {
		t.Error("a full tree takes nothing new")
	}
}
