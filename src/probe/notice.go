package probe

import (
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

// Notice is what the probe says of itself where detections go, the original's custom events. Rules can't have their ids:
// the language reserves them.
type Notice struct {
	Service  string      `json:"service,omitempty"`
	Policies []policyDoc `json:"policies,omitempty"` // of ruleset_loaded, and without rules of heartbeat

	// Of ebpfless_hello_msg.
	NSID     uint64       `json:"nsid,omitempty"`
	Workload *workloadDoc `json:"workload_container,omitempty"`
	Args     []string     `json:"args,omitempty"`
}

type policyDoc struct {
	Name    string    `json:"name"`
	Version string    `json:"version,omitempty"`
	Source  string    `json:"source"`
	Rules   []ruleDoc `json:"rules,omitempty"`
}

// ruleDoc says what became of a rule, a macro, or (without id) of its whole file.
type ruleDoc struct {
	ID         string            `json:"id,omitempty"`
	Version    string            `json:"version,omitempty"`
	Expression string            `json:"expression,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	Status     string            `json:"status"`
	Message    string            `json:"message,omitempty"`
}

type workloadDoc struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	ShortName string `json:"short_name,omitempty"`
	ImageTag  string `json:"image_tag,omitempty"`
}

// IsNotice tells what the probe says of itself from detections.
func (d *Detection) IsNotice() bool { return d.Notice != nil && d.Evt.Name == "" }

// Notices sets who gets what the probe says of itself; without it nobody does. Call it before the first event.
func (e *Engine) Notices(tell func(*Detection)) { e.tell = tell }

func (e *Engine) notify(id, title string, n Notice) {
	if e.tell == nil {
		return
	}
	n.Service = "runtime-security-agent"
	e.tell(&Detection{
		Agent: agentOf(&secl.RuleDef{ID: id}, &e.facts), Title: title, Date: date(uint64(time.Now().UnixNano())), Notice: &n,
	})
}

// TellRules says which rules are in force, and why others are not.
func (e *Engine) TellRules() {
	e.notify("ruleset_loaded", "the rules were loaded", Notice{Policies: policyDocs(e.ruleSet(), true)})
}

// TellAlive says that the probe works, and with which policies.
func (e *Engine) TellAlive() {
	e.notify("heartbeat", "the probe is at work", Notice{Policies: policyDocs(e.ruleSet(), false)})
}

func (e *Engine) ruleSet() *secl.RuleSet[Context] {
	e.lock.Lock()
	defer e.lock.Unlock()
	return e.rules
}

// tellHello says that a tracer has come. How many are told of is limited: any local user can connect.
func (e *Engine) tellHello(h *event.Hello) {
	e.lock.Lock()
	allowed := e.hellos.take(helloBurst, 1, time.Now())
	e.lock.Unlock()
	if !allowed {
		return
	}
	n := Notice{NSID: h.NSID, Args: scrub(h.Args)}
	if c := h.Container; c.ID != "" {
		n.Workload = &workloadDoc{ID: c.ID, Name: c.Name, ShortName: c.Image, ImageTag: c.Tag}
	}
	e.notify("ebpfless_hello_msg", "a tracer has connected", n)
}

// helloBurst are the tracers that are told of in a row; then it is one a second.
const helloBurst = 100

func policyDocs(rules *secl.RuleSet[Context], withRules bool) []policyDoc {
	var docs []policyDoc
	at := map[string]int{} // by file: two folders may have policies of one name
	for _, o := range rules.Outcomes {
		i, known := at[o.File]
		if !known {
			i = len(docs)
			at[o.File] = i
			docs = append(docs, policyDoc{Name: o.Policy, Source: "file"})
		}
		if o.Rule != nil && o.Rule.Policy != nil && o.Rule.Policy.File == o.File {
			docs[i].Version = o.Rule.Policy.Version
		}
		if withRules && !(o.Macro && o.Status == secl.Loaded) {
			docs[i].Rules = append(docs[i].Rules, ruleDocOf(&o))
		}
	}
	return docs
}

func ruleDocOf(o *secl.Outcome) ruleDoc {
	doc := ruleDoc{ID: o.RuleID, Status: string(o.Status), Message: o.Message}
	if o.Rule != nil {
		doc.Version, doc.Expression, doc.Tags = o.Rule.Version, o.Rule.Expression, o.Rule.Tags
	}
	return doc
}
