package probe

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/probe/digest"
	"github.com/ebpfless/ebpfless/src/probe/enforce"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/secl"
)

// acting makes an engine that kills and hashes; found gives the detections as JSON when no action is on its way any more.
func acting(t *testing.T, rules string, limits enforce.Limits) (e *Engine, found func() []string) {
	t.Helper()
	killer, err := enforce.NewKiller("", nil)
	if err != nil {
		t.Fatal(err)
	}
	var lock sync.Mutex
	var list []string
	model := NewModel()
	e = NewEngine(model, Facts{}, 40, 10, func(d *Detection) {
		text, err := json.Marshal(d)
		if err != nil {
			t.Error(err)
		}
		lock.Lock()
		defer lock.Unlock()
		list = append(list, string(text))
	})
	e.Act(Actors{Killer: killer, Limits: limits, Proc: "/proc", HashEvents: []string{"exec", "open"},
		Hasher: digest.New([]string{"sha256"}, 1<<20, 0)})
	set := Rules(model, []*secl.Policy{secl.ParsePolicy("test.policy", []byte(rules))}, secl.Host{OS: "linux"}, true)
	for _, o := range set.Outcomes {
		if o.Status != secl.Loaded {
			t.Fatal(o, o.Caret)
		}
	}
	e.SetRules(set)
	return e, func() []string {
		e.Finish()
		lock.Lock()
		defer lock.Unlock()
		return list
	}
}

var here = new(procfs.Reader).PIDNamespace()

// victim starts a process and tells the engine of it.
func victim(t *testing.T, e *Engine, container string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	program := executed(uint32(cmd.Process.Pid), 0, "/bin/sleep", "sleep", "1000")
	program.Time, program.ContainerID = uint64(time.Now().UnixNano()), container
	e.Take(here, event.Container{}, program)
	return cmd
}

func (c opened) by(e *Engine, cmd *exec.Cmd) {
	e.Take(here, event.Container{}, &event.Event{Kind: event.Open, PID: uint32(cmd.Process.Pid), Time: uint64(time.Now().UnixNano()),
		File: event.File{Path: string(c)}, Retval: 3})
}

// opened is a file that a process opens.
type opened string

// ended tells whether a process has, leaving it to be waited for.
func ended(cmd *exec.Cmd, within time.Duration) bool {
	var reader procfs.Reader
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if state := reader.State(cmd.Process.Pid); state == 0 || state == 'Z' {
			return true
		}
	}
	return false
}

const killers = `
rules:
  - id: kill_it
    expression: open.file.path == "/secret"
    actions: [{kill: {signal: SIGKILL}}]
  - id: kill_all
    expression: open.file.path == "/container"
    actions: [{kill: {signal: SIGKILL, scope: container}}]
`

func TestARuleKillsTheProcessAndSaysSo(t *testing.T) {
	e, found := acting(t, killers, enforce.Limits{})
	cmd := victim(t, e, "")
	opened("/secret").by(e, cmd)
	if !ended(cmd, 5*time.Second) {
		t.Error("the process lives")
	}
	text := strings.Join(found(), "\n")
	for _, want := range []string{`"type":"kill"`, `"status":"performed"`, `"signal":"SIGKILL"`, `"exited_at":"`, fmt.Sprintf(`"pids":[%d]`, cmd.Process.Pid)} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// Clocks without a battery are set after services have been started.
func TestAProcessOfBeforeTheClockWasSetIsKilled(t *testing.T) {
	e, found := acting(t, killers, enforce.Limits{})
	cmd := victim(t, e, "")
	program := executed(uint32(cmd.Process.Pid), 0, "/bin/sleep", "sleep", "1000") // in 1970
	e.Take(here, event.Container{}, program)
	opened("/secret").by(e, cmd)
	if !ended(cmd, 5*time.Second) {
		t.Errorf("the process lives: %s", found())
	}
}

func TestARuleKillsAContainerButNotTheHost(t *testing.T) {
	e, found := acting(t, killers, enforce.Limits{})
	one, two, other := victim(t, e, "c1"), victim(t, e, "c1"), victim(t, e, "c2")
	host := victim(t, e, "")
	opened("/container").by(e, host)
	opened("/container").by(e, one)
	if !ended(one, 5*time.Second) || !ended(two, 5*time.Second) {
		t.Error("processes of the container live")
	}
	for name, cmd := range map[string]*exec.Cmd{"another container's": other, "the host's": host} {
		if ended(cmd, 20*time.Millisecond) {
			t.Errorf("%s process has ended", name)
		}
	}
	if text := strings.Join(found(), "\n"); !strings.Contains(text, "is in no container") {
		t.Errorf("nothing is said of the host's process: %s", text)
	}
}

func TestADisarmedRuleSaysSo(t *testing.T) {
	e, found := acting(t, killers, enforce.Limits{Processes: enforce.Limit{Max: 1, Period: time.Minute}})
	first, second := victim(t, e, ""), victim(t, e, "")
	opened("/secret").by(e, first)
	opened("/secret").by(e, second)
	if !ended(first, 5*time.Second) || ended(second, 50*time.Millisecond) {
		t.Error("not exactly the first was killed")
	}
	if text := strings.Join(found(), "\n"); !strings.Contains(text, `"status":"rule_disarmed","disarmer_type":"process"`) {
		t.Error(text)
	}
}

func TestHashesAreThoseOfTheFile(t *testing.T) {
	e, found := acting(t, `
rules:
  - id: hash_file
    expression: open.file.name == "read.txt"
    actions: [{hash: {}}, {hash: {field: process.file}}]
`, enforce.Limits{})
	path := filepath.Join(t.TempDir(), "read.txt")
	if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened(path).by(e, victim(t, e, ""))
	var d struct {
		File    struct{ Hashes []string }
		Process struct {
			Executable struct {
				Hashes []string
				State  string `json:"hash_state"`
			}
		}
	}
	list := found()
	if len(list) != 1 || json.Unmarshal([]byte(list[0]), &d) != nil {
		t.Fatal(list)
	}
	if got := strings.Join(d.File.Hashes, " "); got != "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("hashes of the file %q", got)
	}
	if d.Process.Executable.State != "Done" || len(d.Process.Executable.Hashes) != 1 {
		t.Errorf("executable: %+v", d.Process.Executable)
	}
}

// What one rule sets another reads, in the process's own scope, its children's, its container's, and everywhere.
func TestVariablesReachTheScopeThatTheyAreSetIn(t *testing.T) {
	const rules = `
rules:
  - id: mark
    expression: open.file.path == "/mark"
    actions:
      - set: {name: own, value: true, scope: process}
      - set: {name: line, value: true, scope: process, inherited: true}
      - set: {name: box, value: true, scope: container}
      - set: {name: seen, field: open.file.path, append: true}
    silent: true
  - {id: own, expression: 'open.file.path == "/look" && ${process.own}'}
  - {id: line, expression: 'open.file.path == "/look" && ${process.line}'}
  - {id: box, expression: 'open.file.path == "/look" && ${container.box}'}
  - {id: seen, expression: 'open.file.path == "/look" && "/mark" in ${seen}'}
`
	const parent, child, neighbour, stranger = 50, 51, 52, 53
	hits := map[uint32]string{}
	for _, pid := range []uint32{parent, child, neighbour, stranger} {
		e, found := acting(t, rules, enforce.Limits{})
		for p, box := range map[uint32]string{parent: "c1", neighbour: "c1", stranger: "c2"} {
			program := executed(p, 1, "/bin/app")
			program.ContainerID = box
			e.Take(testNS, event.Container{}, program)
		}
		e.Take(testNS, event.Container{}, &event.Event{Kind: event.Fork, PID: child, PPID: parent, Time: 5})
		for _, act := range []struct {
			pid  uint32
			path string
		}{{parent, "/mark"}, {pid, "/look"}} {
			e.Take(testNS, event.Container{}, &event.Event{Kind: event.Open, PID: act.pid, Time: 6, File: event.File{Path: act.path}})
		}
		var ids []string
		for _, text := range found() {
			var d struct{ Agent struct{ Rule_ID string } }
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, d.Agent.Rule_ID)
			if !strings.Contains(text, `"variables":{"seen":["/mark"]}`) {
				t.Errorf("the detection shows no variable: %s", text)
			}
		}
		hits[pid] = strings.Join(ids, " ")
	}
	for pid, want := range map[uint32]string{parent: "own line box seen", child: "line box seen", neighbour: "box seen", stranger: "seen"} {
		if hits[pid] != want {
			t.Errorf("pid %d: %q, want %q", pid, hits[pid], want)
		}
	}
}

func TestVariablesOfGoneContainersAreForgotten(t *testing.T) {
	v, tree := newVariables(), NewTree()
	live := &Process{PID: 1, ContainerID: "live"}
	tree.add(live)
	v.store(live, secl.ScopeContainer, tree)
	for i := range 2 * maxStores {
		v.store(&Process{ContainerID: fmt.Sprint(i)}, secl.ScopeContainer, tree)
	}
	if n := len(v.containers); n > maxStores {
		t.Errorf("%d containers are remembered", n)
	}
	if v.containers["live"] == nil {
		t.Error("one that lives is forgotten")
	}
}
