package probe

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

func noticed(t *testing.T, text string) (*Engine, *[]map[string]any) {
	t.Helper()
	var found []map[string]any
	e := NewEngine(NewModel(), Facts{Version: "1", Arch: "amd64"}, 40, 10, func(*Detection) {})
	e.Notices(func(d *Detection) {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var document map[string]any
		if err := json.Unmarshal(b, &document); err != nil {
			t.Fatal(err)
		}
		var back Detection
		if err := json.Unmarshal(b, &back); err != nil || !back.IsNotice() {
			t.Errorf("%v: not taken for a notice: %s", err, b)
		}
		found = append(found, document)
	})
	e.SetRules(Rules(e.model, []*secl.Policy{secl.ParsePolicy("/etc/some.policy", []byte(text))}, secl.Host{OS: "linux"}, true))
	return e, &found
}

func TestNoticesSayWhatBecameOfEachRule(t *testing.T) {
	e, found := noticed(t, `
version: 1.2.3
rules:
  - {id: good, version: 2.0.0, expression: 'open.file.path == "/x"', tags: {technique: T1}}
  - {id: mistyped, expression: 'open.file.pahh == "/x"'}
  - {id: elsewhere, expression: 'open.file.path == "/x"', filters: ['os == "windows"']}
`)
	e.TellRules()
	e.TellAlive()
	if len(*found) != 2 {
		t.Fatalf("%d notices", len(*found))
	}
	loaded, alive := (*found)[0], (*found)[1]
	for id, notice := range map[string]map[string]any{"ruleset_loaded": loaded, "heartbeat": alive} {
		if agent := notice["agent"].(map[string]any); agent["rule_id"] != id || agent["original_rule_id"] != id || agent["origin"] != "ebpfless" {
			t.Errorf("%s: agent %v", id, agent)
		}
		if _, err := time.Parse(time.RFC3339Nano, notice["date"].(string)); err != nil || notice["service"] != "runtime-security-agent" || notice["title"] == "" {
			t.Errorf("%s: %v", id, notice)
		}
		if _, there := notice["evt"]; there {
			t.Errorf("%s: it has no event, and says evt", id)
		}
	}
	policy := loaded["policies"].([]any)[0].(map[string]any)
	if policy["name"] != "some.policy" || policy["version"] != "1.2.3" || policy["source"] != "file" {
		t.Errorf("policy %v", policy)
	}
	status := map[string]string{}
	for _, rule := range policy["rules"].([]any) {
		r := rule.(map[string]any)
		status[r["id"].(string)] = r["status"].(string)
		if r["id"] == "mistyped" && !strings.Contains(r["message"].(string), "did you mean") {
			t.Errorf("%v", r)
		}
	}
	if status["good"] != "loaded" || status["mistyped"] != "error" || status["elsewhere"] != "filtered" || len(status) != 3 {
		t.Errorf("rules %v", status)
	}
	if rules := alive["policies"].([]any)[0].(map[string]any)["rules"]; rules != nil {
		t.Errorf("a heartbeat names rules: %v", rules)
	}
}

func TestATracerIsToldOfWhenItConnects(t *testing.T) {
	e, found := noticed(t, "rules: []")
	e.tellHello(&event.Hello{NSID: 7, Args: []string{"app", "--password=hunter2"}, Container: event.Container{ID: "4f1c", Name: "web", Image: "nginx", Tag: "1"}})
	e.tellHello(&event.Hello{NSID: 8})
	if len(*found) != 2 {
		t.Fatalf("%d notices", len(*found))
	}
	first, second := (*found)[0], (*found)[1]
	workload, _ := first["workload_container"].(map[string]any)
	if first["nsid"] != 7.0 || workload["id"] != "4f1c" || workload["short_name"] != "nginx" || strings.Contains(first["args"].([]any)[1].(string), "hunter2") {
		t.Errorf("%v", first)
	}
	if second["workload_container"] != nil {
		t.Errorf("outside of containers: %v", second)
	}
	for range 1000 {
		e.tellHello(&event.Hello{NSID: 9})
	}
	if len(*found) > helloBurst+10 {
		t.Errorf("%d notices of a thousand hellos", len(*found))
	}
}
