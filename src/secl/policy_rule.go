package secl

import (
	"time"

	"gopkg.in/yaml.v3"
)

// RuleDef is a rule as its policy file has it.
type RuleDef struct {
	ID           string            `yaml:"id"`
	Expression   string            `yaml:"expression"`
	Version      string            `yaml:"version"`
	Description  string            `yaml:"description"`
	Tags         map[string]string `yaml:"tags"`
	ProductTags  []string          `yaml:"product_tags"`
	AgentVersion string            `yaml:"agent_version"` // constraint such as ">= 7.38"
	Filters      []string          `yaml:"filters"`       // any that is true keeps the rule
	Disabled     bool              `yaml:"disabled"`
	Combine      string            `yaml:"combine"` // "" or "override"
	Override     struct {
		Fields []string `yaml:"fields"` // what an override takes over; empty: the expression
	} `yaml:"override_options"`
	Actions      []*Action     `yaml:"actions"`
	Every        time.Duration `yaml:"every"`         // at most one event per this time; 0: every hit is an event
	LimiterToken []string      `yaml:"limiter_token"` // fields; Every counts for each of their values apart
	Silent       bool          `yaml:"silent"`        // no event is sent, actions run
	GroupID      string        `yaml:"group_id"`
	Priority     int           `yaml:"priority"`

	Policy     *Policy `yaml:"-"`
	OriginalID string  `yaml:"-"` // the ID as written, of a rule that was expanded; "" for others
	At         Place   `yaml:"-"` // of the rule
	ExprAt     Place   `yaml:"-"` // of the expression's first character
	warnings   []string
	exprOf     *Policy // where the expression comes from, when another policy overrides it
}

// MacroDef is a macro as its policy file has it; it has an expression or values.
type MacroDef struct {
	ID           string   `yaml:"id"`
	Expression   string   `yaml:"expression"`
	Values       []string `yaml:"values"`
	Description  string   `yaml:"description"`
	AgentVersion string   `yaml:"agent_version"`
	Filters      []string `yaml:"filters"`
	Combine      string   `yaml:"combine"` // "", "merge" or "override"

	Policy *Policy `yaml:"-"`
	At     Place   `yaml:"-"`
	ExprAt Place   `yaml:"-"` // of the expression's first character
}

// Action is what a rule does when it hits. Exactly one of the pointers is set.
type Action struct {
	Filter string      `yaml:"filter"` // expression that must hold too; "" for none
	Set    *SetAction  `yaml:"set"`
	Kill   *KillAction `yaml:"kill"`
	Hash   *HashAction `yaml:"hash"`
	Log    *LogAction  `yaml:"log"`

	// These need eBPF: a rule that has one is refused.
	CoreDump      yaml.Node `yaml:"coredump"`
	NetworkFilter yaml.Node `yaml:"network_filter"`

	At Place `yaml:"-"`
}

// SetAction sets a variable. Exactly one of Value, Field and Expression is given.
type SetAction struct {
	Name         string        `yaml:"name"`
	Value        any           `yaml:"value"` // bool, int, string or a list of int or string
	Field        string        `yaml:"field"`
	Expression   string        `yaml:"expression"`
	DefaultValue any           `yaml:"default_value"` // as Value
	Append       bool          `yaml:"append"`
	Scope        Scope         `yaml:"scope"`
	ScopeField   string        `yaml:"scope_field"`
	Inherited    bool          `yaml:"inherited"`
	Size         int           `yaml:"size"`
	TTL          time.Duration `yaml:"ttl"`
	Private      bool          `yaml:"private"`
}

// KillAction sends a signal to the process of the event or to all of its container.
type KillAction struct {
	Signal                    string `yaml:"signal"`
	Scope                     string `yaml:"scope"` // "process", "container" or "cgroup"
	DisableContainerDisarmer  bool   `yaml:"disable_container_disarmer"`
	DisableExecutableDisarmer bool   `yaml:"disable_executable_disarmer"`
}

// HashAction hashes the file that a field stands for.
type HashAction struct {
	Field       string `yaml:"field"`         // such as "exec.file"
	MaxFileSize int64  `yaml:"max_file_size"` // bytes; 0: the probe's default
}

// LogAction writes to the probe's own log.
type LogAction struct {
	Level   string `yaml:"level"`
	Message string `yaml:"message"`
}
