package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
)

// schema has a row for each object of the original's layout: its keys, required ones with an exclamation mark, and their
// types. No other key may stand there. A type in angle brackets is another row, "any" is left open by the layout. Keys of
// events that need eBPF are left out.
var schema = map[string]string{
	"detection": `agent!:<agent> title!:string evt:<evt> date:time file:<file> process:<process> exit:<exit> container:<container>
		cgroup:<cgroup> accept:<accept> bind:<bind> connect:<connect> mount:<mount> module:<module> setsockopt:<setsockopt>
		prctl:<prctl> socket:<socket> ptrace:<ptrace> signal:<signal> syscall:<syscalls> usr:<usr> dd:<dd>`,
	"agent": `rule_id!:string original_rule_id!:string rule_version:string rule_actions:[any] policy_name:string policy_version:string
		version:string os:string arch:string origin:string kernel_version:string distribution:string`,
	"evt":     `name:string category:string outcome:string async:bool matched_rules:[<matched>] variables:any rule_context:<context>`,
	"matched": `id:string version:string tags:[string] policy_name:string policy_version:string`,
	"context": `expression:string matching_subexprs:[<subexpr>]`,
	"subexpr": `offset!:int length!:int value!:string field:string`,
	"file": `path:string name:string extension:string path_resolution_error:string inode:int mode:int in_upper_layer:bool
		mount_id:int filesystem:string uid!:int gid!:int user:string group:string attribute_name:string attribute_namespace:string
		flags:[string] access_time:time modification_time:time change_time:time package_name:string package_version:string
		package_epoch:int package_release:string package_source_version:string package_source_epoch:int
		package_source_release:string hashes:[string] hash_state:string mount_path:string mount_source:string mount_origin:string
		mount_visible:bool mount_detached:bool metadata:any destination:<file>`,
	"process": `pid:int ppid:int tid:int uid!:int gid!:int user:string group:string path_resolution_error:string comm:string
		tty:string fork_time:time exec_time:time exit_time:time credentials:<credentials> caps_attempted:[string]
		caps_used:[string] user_session:any executable:<file> interpreter:<file> container:<container> cgroup:<cgroup>
		argv0:string args:[string] args_truncated:bool envs:[string] envs_truncated:bool is_thread:bool is_kworker:bool
		is_exec_child:bool source:string syscalls:any aws_security_credentials:any variables:any parent:<process>
		ancestors:[<process>] truncated_ancestors:bool`,
	"credentials": `uid!:int user:string gid!:int group:string euid!:int euser:string egid!:int egroup:string fsuid!:int fsuser:string
		fsgid!:int fsgroup:string auid!:int cap_effective!:[string] cap_permitted!:[string] destination:<become>`,
	"become": `uid:int user:string euid:int euser:string fsuid:int fsuser:string gid:int group:string egid:int egroup:string
		fsgid:int fsgroup:string cap_effective:[string] cap_permitted:[string]`,
	"exit":      `cause!:string code!:int`,
	"container": `id:string created_at:time variables:any`,
	"cgroup":    `id:string manager:string variables:any`,
	"addr":      `family!:string ip!:string port!:int`,
	"accept":    `addr!:<addr> hostnames!:[string]`,
	"bind":      `addr!:<addr> protocol!:string`,
	"connect":   `addr!:<addr> hostnames!:[string] protocol!:string`,
	"mount": `mp:<file> root:<file> mount_id!:int parent_mount_id!:int bind_src_mount_id!:int device!:int fs_type:string
		mountpoint.path:string source.path:string mountpoint.path_error:string source.path_error:string detached:bool visible:bool`,
	"module": `name!:string loaded_from_memory:bool argv:[string] args_truncated:bool`,
	"setsockopt": `socket_type!:string socket_family!:string socket_protocol!:string filter_len:int level!:string optname!:string
		is_filter_truncated:bool filter:string filter_hash:string`,
	"prctl":    `option!:string new_name:string is_name_truncated:bool`,
	"socket":   `domain:string type:string protocol:string`,
	"ptrace":   `request:string address:string tracee:<process>`,
	"signal":   `type:string pid:int target:<process>`,
	"syscalls": `chmod:<call> chown:<call> chdir:<call> exec:<call> open:<call> unlink:<call> link:<call> rename:<call> utimes:<call> mount:<call> mkdir:<call> rmdir:<call> setsockopt:<call> prctl:<call>`,
	"call":     `path:string flags:int mode:int uid:int gid:int dirfd:int destination_path:string fs_type:string`,
	"usr":      `id:string group:string`,
	"dd":       `span_id:string trace_id:string`,
}

// judge compares a value with a type and gives what is wrong, by its place.
func judge(at, kind string, value any) []string {
	wrong := func() []string { return []string{fmt.Sprintf("%s is %v (%T), want %s", at, value, value, kind)} }
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	switch {
	case kind == "any":
		return nil
	case kind[0] == '[':
		if !isList {
			return wrong()
		}
		var all []string
		for i, item := range list {
			all = append(all, judge(fmt.Sprintf("%s[%d]", at, i), kind[1:len(kind)-1], item)...)
		}
		return all
	case kind[0] == '<':
		if !isObject {
			return wrong()
		}
		return judgeObject(at, schema[kind[1:len(kind)-1]], object)
	}
	number, isNumber := value.(float64)
	text, isText := value.(string)
	_, isBool := value.(bool)
	if kind == "int" && isNumber && number == float64(int64(number)) || kind == "bool" && isBool ||
		kind == "string" && isText || kind == "time" && isText && strings.HasSuffix(text, "Z") {
		return nil
	}
	return wrong()
}

func judgeObject(at, row string, object map[string]any) []string {
	var all []string
	kinds := map[string]string{}
	for _, entry := range strings.Fields(row) {
		key, kind, _ := strings.Cut(entry, ":")
		name, required := strings.CutSuffix(key, "!")
		kinds[name] = kind
		if _, there := object[name]; required && !there {
			all = append(all, fmt.Sprintf("%s lacks %s", at, name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if kinds[name] == "" {
			all = append(all, fmt.Sprintf("%s has %s, which the layout doesn't know", at, name))
			continue
		}
		all = append(all, judge(at+"."+name, kinds[name], object[name])...)
	}
	return all
}

func documentOf(t *testing.T, d *Detection) map[string]any {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestEveryKindOfDetectionHasTheLayout(t *testing.T) {
	seen := event.SetOf(event.Fork, event.Exec) // a fork is no event of rules; an exec is the row without an event
	check := func(name, expression string, ev event.Event) {
		seen |= event.SetOf(ev.Kind)
		d := tell(t, expression, ev)
		d.File.pack()
		d.Process.Executable.pack()
		for _, wrong := range judge(name, "<detection>", documentOf(t, d)) {
			t.Error(wrong)
		}
	}
	for name, r := range recorded {
		check(name, r.expression, r.event)
	}
	for name, s := range stories {
		check("story "+name, s.expression, s.event)
	}
	check("setrlimit", `setrlimit.resource == RLIMIT_CORE`, event.Event{Kind: event.Setrlimit, Rlimit: event.Rlimit{Resource: 4, PID: 41}})
	check("a filter", `setsockopt.filter_len == 1`, event.Event{Kind: event.Setsockopt, Sockopt: event.Sockopt{Filter: make([]byte, 8), FilterLen: 1}})
	if missing := event.Everything &^ seen; missing != 0 {
		t.Errorf("kinds without a detection: %b", missing)
	}
}

// pack fills what a file has only on a host with packages, and after an action.
func (f *fileDoc) pack() {
	if f == nil {
		return
	}
	(&Context{Process: &Process{}, packages: func(string, uint64) *host.Package {
		return &host.Package{Name: "p", Version: "1", Release: "2", Epoch: 3, SourceVersion: "1", SourceRelease: "2", SourceEpoch: 3}
	}}).tellPackage(f, &event.File{Path: f.Path})
	f.HashState, f.Hashes = "Done", []string{"sha256:00"}
}

// A judge that finds nothing wrong anywhere would let everything pass.
func TestTheLayoutIsJudged(t *testing.T) {
	for text, want := range map[string]string{
		`{"title":"x"}`: "x lacks agent",
		`{"title":"x","agent":{"rule_id":"a","original_rule_id":"a"},"own":1}`:             "x has own, which",
		`{"title":1,"agent":{"rule_id":"a","original_rule_id":"a"}}`:                       "x.title is 1",
		`{"title":"x","agent":{"rule_id":"a","original_rule_id":"a","rule_actions":null}}`: "x.agent.rule_actions is <nil>",
		`{"title":"x","agent":{"rule_id":"a","original_rule_id":"a"},"date":"today"}`:      "x.date is today",
	} {
		var document map[string]any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Fatal(err)
		}
		if got := judge("x", "<detection>", document); len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
