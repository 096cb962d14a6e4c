package probe

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
)

const testNS = 7

func forked(pid, ppid uint32) *event.Event {
	return &event.Event{Kind: event.Fork, PID: pid, PPID: ppid, Time: uint64(pid)}
}

func executed(pid, ppid uint32, path string, args ...string) *event.Event {
	return &event.Event{
		Kind: event.Exec, PID: pid, PPID: ppid, Time: uint64(pid) + 1, File: event.File{Path: path},
		Exec: event.ExecInfo{Args: args, Credentials: &event.Credentials{}},
	}
}

// grow applies events as the engine does.
func grow(t *Tree, events ...*event.Event) {
	for _, e := range events {
		t.Settle(t.Take(testNS, e), e)
	}
}

// line names a process's programs from itself to the root.
func line(p *Process) string {
	text := ""
	for ; p != nil; p = p.Parent {
		text += nameOf(&p.Program.File) + "<"
	}
	return text
}

func TestAncestors(t *testing.T) {
	for name, c := range map[string]struct {
		events []*event.Event
		want   string
	}{
		"fork then exec":                           {[]*event.Event{executed(1, 0, "/sbin/init"), forked(2, 1), executed(2, 1, "/bin/sh"), forked(3, 2), executed(3, 2, "/bin/id")}, "id<sh<init<"},
		"exec that comes before its fork":          {[]*event.Event{executed(2, 0, "/bin/sh"), executed(3, 2, "/bin/id"), forked(3, 2)}, "id<sh<"},
		"a fork without exec":                      {[]*event.Event{executed(2, 0, "/bin/sh"), forked(3, 2)}, "sh<sh<"},
		"what executed in the same process before": {[]*event.Event{executed(2, 0, "/usr/sbin/nginx"), forked(3, 2), executed(3, 2, "/bin/sh"), executed(3, 2, "/bin/id")}, "id<sh<nginx<"},
		"a parent that has ended":                  {[]*event.Event{executed(2, 0, "/bin/sh"), forked(3, 2), executed(3, 2, "/bin/id"), {Kind: event.Exit, PID: 2}}, "id<sh<"},
		"a pid that is used again":                 {[]*event.Event{executed(2, 0, "/bin/sh"), forked(3, 2), executed(3, 2, "/bin/old"), {Kind: event.Exit, PID: 3}, forked(3, 2), executed(3, 2, "/bin/new")}, "new<sh<"},
	} {
		tree := NewTree()
		grow(tree, c.events...)
		if got := line(tree.Find(testNS, c.events[len(c.events)-1].PID)); name != "a parent that has ended" && got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if name == "a parent that has ended" {
			if got := line(tree.Find(testNS, 3)); got != c.want {
				t.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	}
}

func TestNamespacesAreApart(t *testing.T) {
	tree := NewTree()
	grow(tree, executed(5, 0, "/bin/a"))
	if tree.Find(testNS+1, 5) != nil || tree.Find(testNS, 5) == nil {
		t.Error("a pid was found in another namespace, or not in its own")
	}
}

func TestCredentialsFollowTheCalls(t *testing.T) {
	tree := NewTree()
	grow(tree, executed(2, 0, "/bin/a"),
		&event.Event{Kind: event.SetGID, PID: 2, IDs: event.IDs{ID: 4, Effective: -1, Name: "adm"}},
		&event.Event{Kind: event.SetUID, PID: 2, IDs: event.IDs{ID: -1, Effective: 33, EffectiveName: "www-data"}},
		&event.Event{Kind: event.SetUID, PID: 2, Retval: -1, IDs: event.IDs{ID: 99, Effective: 99}},
		&event.Event{Kind: event.Capset, PID: 2, Caps: event.Caps{Effective: 1, Permitted: 3}},
		forked(3, 2))
	for _, pid := range []uint32{2, 3} {
		p := tree.Find(testNS, pid)
		if o := p.Owner; o.UID != 0 || o.EUID != 33 || o.EUser != "www-data" || o.FSUID != 33 || o.GID != 4 || o.EGID != 4 {
			t.Errorf("pid %d: %+v", pid, o)
		}
		if p.Caps != (event.Caps{Effective: 1, Permitted: 3}) {
			t.Errorf("pid %d: %+v", pid, p.Caps)
		}
	}
}

func TestALineOfAncestorsIsBounded(t *testing.T) {
	tree := NewTree()
	for i := range uint32(5000) {
		grow(tree, executed(2, 0, fmt.Sprintf("/bin/%d", i)))
	}
	if n := depth(tree.Find(testNS, 2)); n > maxDepth {
		t.Errorf("%d ancestors", n)
	}
}

// programOf is an exec that shares nothing with those of others.
func programOf(pid uint32) *event.Event {
	e := executed(pid, 1, fmt.Sprintf("/usr/bin/program-%d", pid), "program", "--flag", fmt.Sprintf("--option=%d", pid))
	e.Exec.Envs = []string{"PATH=/usr/bin:/bin", "HOME", "LANG", fmt.Sprintf("V%d", pid)}
	return e
}

// A host with 100,000 processes must not cost more than 200 MB.
func TestManyProcessesFitIntoMemory(t *testing.T) {
	const processes, limit = 100_000, 200 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	tree := NewTree()
	for pid := uint32(2); pid < processes+2; pid++ {
		grow(tree, forked(pid, 1), programOf(pid))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := after.HeapAlloc - before.HeapAlloc; used > limit {
		t.Errorf("%d MB for %d processes", used>>20, tree.Len())
	}
	runtime.KeepAlive(tree)
}

func TestValuesOfTheEnvironmentAreKeptOfThoseThatAreNamed(t *testing.T) {
	tree := NewTree()
	tree.valued = []string{"LD_PRELOAD", "EMPTY"}
	e := executed(10, 1, "/bin/x", "x")
	e.Exec.Envs = []string{"LD_PRELOAD=/tmp/x.so", "TOKEN=secret", "LANG", "EMPTY=", "LD_PRELOAD_OTHER=1"}
	grow(tree, e)
	want := "LD_PRELOAD=/tmp/x.so TOKEN LANG EMPTY= LD_PRELOAD_OTHER"
	if got := strings.Join(tree.Find(testNS, 10).Program.Envs, " "); got != want {
		t.Errorf("envs are %q, want %q", got, want)
	}
}
