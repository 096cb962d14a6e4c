package probe

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"golang.org/x/sys/unix"
)

const defaultPolicy = "../../packaging/etc/runtime-security.d/default.policy"

// engineWith makes an engine with the rules of a file and gives what it detects.
func engineWith(t testing.TB, policy *secl.Policy) (*Engine, *[]*Detection) {
	t.Helper()
	var found []*Detection
	model := NewModel()
	e := NewEngine(model, Facts{Version: "1.2.3", Arch: "amd64"}, 40, 10, func(d *Detection) { found = append(found, d) })
	rules := Rules(model, []*secl.Policy{policy}, secl.Host{OS: "linux", Origin: "ebpfless"})
	for _, o := range rules.Outcomes {
		if o.Status != secl.Loaded {
			t.Fatal(o)
		}
	}
	e.SetRules(rules)
	return e, &found
}

// act is an event of a program.
type act struct {
	path   string // of the program that does it
	parent string // of its parent; empty for none
	uid    uint32
	event  event.Event
}

func (a act) on(e *Engine) {
	if a.parent != "" {
		e.Take(testNS, event.Container{}, executed(50, 1, a.parent))
	}
	program := executed(51, 50, a.path, filepath.Base(a.path))
	program.Exec.Credentials = &event.Credentials{UID: a.uid, EUID: a.uid}
	e.Take(testNS, event.Container{}, program)
	if a.event.Kind != event.Unknown {
		ev := a.event
		ev.PID, ev.Time = 51, 1
		e.Take(testNS, event.Container{}, &ev)
	}
}

func opening(path string, flags uint32) event.Event {
	return event.Event{Kind: event.Open, File: event.File{Path: path}, Flags: flags, Retval: 3}
}

const creating = unix.O_WRONLY | unix.O_CREAT

// trials have for each default rule something that it must detect, and something alike that it must not.
var trials = map[string]struct{ hostile, benign act }{
	"exec_from_temporary_folder": {act{path: "/dev/shm/x"}, act{path: "/usr/bin/tmp"}},
	"exec_of_anonymous_file":     {act{path: "memfd:payload"}, act{path: "/usr/bin/memfd"}},
	"shell_from_server":          {act{path: "/usr/bin/dash", parent: "/usr/sbin/nginx"}, act{path: "/usr/bin/dash", parent: "/usr/sbin/sshd"}},
	"password_hashes_read":       {act{path: "/usr/bin/cat", event: opening("/etc/shadow", 0)}, act{path: "/usr/sbin/sshd", event: opening("/etc/shadow", 0)}},
	"accounts_changed":           {act{path: "/usr/bin/dash", event: opening("/etc/sudoers.d/x", creating)}, act{path: "/usr/bin/dash", event: opening("/etc/passwd", 0)}},
	"ssh_keys_changed":           {act{path: "/usr/bin/tee", event: opening("/root/.ssh/authorized_keys", creating)}, act{path: "/usr/sbin/sshd", event: opening("/root/.ssh/authorized_keys", 0)}},
	"scheduled_task_changed":     {act{path: "/usr/bin/tee", event: opening("/etc/cron.d/x", creating)}, act{path: "/usr/bin/dpkg", event: opening("/etc/cron.d/x", creating)}},
	"preload_changed":            {act{path: "/usr/bin/tee", event: opening("/etc/ld.so.preload", creating)}, act{path: "/usr/bin/tee", event: opening("/etc/ld.so.preload", 0)}},
	"preload_put_in_place": {
		act{path: "/usr/bin/mv", event: event.Event{Kind: event.Rename, File: event.File{Path: "/tmp/x"}, Destination: event.File{Path: "/etc/ld.so.preload"}}},
		act{path: "/sbin/ldconfig", event: event.Event{Kind: event.Rename, Destination: event.File{Path: "/etc/ld.so.cache"}}},
	},
	"set_id_bit": {
		act{path: "/usr/bin/chmod", event: event.Event{Kind: event.Chmod, File: event.File{Path: "/tmp/x", Mode: unix.S_IFREG | 0o755}, Mode: 0o4755}},
		act{path: "/usr/bin/chmod", event: event.Event{Kind: event.Chmod, File: event.File{Path: "/srv/shared", Mode: unix.S_IFDIR | 0o755}, Mode: 0o2775}},
	},
	"traces_removed": {
		act{path: "/usr/bin/rm", event: event.Event{Kind: event.Unlink, File: event.File{Path: "/root/.bash_history"}}},
		act{path: "/usr/bin/rm", event: event.Event{Kind: event.Unlink, File: event.File{Path: "/var/log/app.log"}}},
	},
	"became_root": {
		act{path: "/opt/app", uid: 33, event: event.Event{Kind: event.SetUID, IDs: event.IDs{ID: 0, Effective: -1}}},
		act{path: "/usr/sbin/nginx", event: event.Event{Kind: event.SetUID, IDs: event.IDs{ID: 33, Effective: -1}}},
	},
	"kernel_module_loaded": {
		act{path: "/opt/app", event: event.Event{Kind: event.LoadModule, Module: event.Module{FromMemory: true}}},
		act{path: "/usr/bin/kmod", event: event.Event{Kind: event.LoadModule, Module: event.Module{Name: "loop"}}},
	},
	"cloud_metadata_asked": {
		act{path: "/usr/bin/curl", event: event.Event{Kind: event.Connect, Sock: event.Sock{IP: netip.MustParseAddr("169.254.169.254"), Port: 80}}},
		act{path: "/usr/bin/curl", event: event.Event{Kind: event.Connect, Sock: event.Sock{IP: netip.MustParseAddr("127.0.0.1"), Port: 80}}},
	},
	"memory_of_another_process": {
		act{path: "/opt/app", event: event.Event{Kind: event.Ptrace, Ptrace: event.PtraceInfo{Request: unix.PTRACE_ATTACH, PID: 9}}},
		act{path: "/opt/app", event: event.Event{Kind: event.Ptrace, Ptrace: event.PtraceInfo{Request: unix.PTRACE_TRACEME}}},
	},
}

func TestDefaultRulesHitWhatTheyAreAboutAndNothingElse(t *testing.T) {
	policy := secl.LoadFile(defaultPolicy)
	for _, rule := range policy.Rules {
		trial, ok := trials[rule.ID]
		if !ok {
			t.Errorf("rule %s has no trial", rule.ID)
			continue
		}
		e, found := engineWith(t, policy)
		trial.hostile.on(e)
		if !detected(*found, rule.ID) {
			t.Errorf("%s missed %+v", rule.ID, trial.hostile)
		}
		e, found = engineWith(t, policy)
		trial.benign.on(e)
		if len(*found) > 0 {
			t.Errorf("%s has a harmless look-alike that hits %s", rule.ID, (*found)[0].Agent.RuleID)
		}
	}
	if len(policy.Rules) != len(trials) {
		t.Errorf("%d rules, %d trials", len(policy.Rules), len(trials))
	}
}

func detected(found []*Detection, rule string) bool {
	for _, d := range found {
		if d.Agent.RuleID == rule {
			return true
		}
	}
	return false
}

func policyOf(expression, more string) *secl.Policy {
	return secl.ParsePolicy("test.policy", []byte("rules:\n  - id: it\n    expression: "+expression+"\n"+more))
}

func TestALimitHoldsRulesBack(t *testing.T) {
	e, found := engineWith(t, policyOf("open.file.path == \"/x\"", ""))
	for range 100 {
		e.Take(testNS, event.Container{}, &event.Event{Kind: event.Open, PID: 5, File: event.File{Path: "/x"}})
	}
	if n := len(*found); n < 40 || n > 45 || e.Counts().Limited != uint64(100-n) {
		t.Errorf("%d of 100 came through, %d are counted as held back", n, e.Counts().Limited)
	}
}

func TestEveryAllowsOneForEachToken(t *testing.T) {
	l := newLimiter(40, 10)
	rule := &secl.RuleDef{ID: "r", Every: time.Minute}
	now := time.Now()
	for _, c := range []struct {
		token string
		after time.Duration
		want  bool
	}{{"a", 0, true}, {"a", time.Second, false}, {"b", time.Second, true}, {"a", 61 * time.Second, true}} {
		if got := l.allow(rule, c.token, now.Add(c.after)); got != c.want {
			t.Errorf("token %s after %v: %v", c.token, c.after, got)
		}
	}
	for i := range 2 * maxBuckets {
		l.allow(rule, string(rune('A'+i)), now)
	}
	if n := len(l.rules["r"]); n > maxBuckets {
		t.Errorf("%d buckets", n)
	}
}

func TestInterestIsWhatRulesAndTreeNeed(t *testing.T) {
	e, _ := engineWith(t, policyOf("open.flags & O_CREAT > 0", ""))
	interest := e.Interest()
	if want := always | event.SetOf(event.Open); interest.Kinds != want || interest.OpenFlags != unix.O_CREAT {
		t.Errorf("interest is %+v, want kinds %b and O_CREAT", interest, want)
	}
}

func TestAMissAllocatesNothing(t *testing.T) {
	e, _ := engineWith(t, secl.LoadFile(defaultPolicy))
	act{path: "/usr/bin/cat", parent: "/usr/bin/dash"}.on(e)
	ev := opening("/usr/share/doc/x", 0)
	ev.PID = 51
	if n := testing.AllocsPerRun(1000, func() { e.Take(testNS, event.Container{}, &ev) }); n != 0 {
		t.Errorf("%v allocations for an event that no rule hits", n)
	}
}

func BenchmarkTake(b *testing.B) {
	e, _ := engineWith(b, secl.LoadFile(defaultPolicy))
	act{path: "/usr/bin/cat", parent: "/usr/bin/dash"}.on(e)
	ev := opening("/usr/share/doc/x", 0)
	ev.PID = 51
	b.ReportAllocs()
	for b.Loop() {
		e.Take(testNS, event.Container{}, &ev)
	}
}
