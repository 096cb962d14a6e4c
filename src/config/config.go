// Package config makes one validated struct of system-probe.yaml and the DD_* environment; what the settings do is left to
// those who read them.
package config

import "time"

// DefaultPath is where the configuration lies on a host.
const DefaultPath = "/etc/datadog-agent/system-probe.yaml"

// Config is what the probe goes by. It is made by Load and not changed after.
type Config struct {
	APIKey   string
	Site     string
	URL      string // takes the place of what Site leads to
	LogLevel string
	Hostname string
	Tags     []string
	Env      string

	Enabled     bool
	FIM         bool
	EBPFLess    bool
	Socket      string // host:port that tracers connect to, IPv4
	WatchHost   bool   // ours: look for programs that no tracer reports, too
	PolicyDir   string
	PolicyWatch bool // look for changes of PolicyDir
	EnvsAsTags  []string

	EventBurst     int           // events of one rule in a row
	EventRate      int           // and then events a second
	EventRetention time.Duration // how long an event may wait for what completes it

	Enforcement        bool
	EnforcementExclude []string // globs of executables that are never killed
	DisarmContainer    Disarmer
	DisarmExecutable   Disarmer
	DisarmProcess      Disarmer // ours: the original counts what processes run, not processes

	HashEnabled     bool
	HashEventTypes  []string
	HashMaxFileSize int // bytes
	HashMaxRate     int // files a second
	HashAlgorithms  []string

	SelfTest       bool
	EnvsWithValues []string
}

// Disarmer stops a rule that kills too many.
type Disarmer struct {
	Enabled    bool
	MaxAllowed int
	Period     time.Duration
}

// row is one key of the file.
type row struct {
	key     string
	field   func(*Config) any // *bool, *int, *string, *time.Duration or *[]string
	secret  bool
	aliases []string // of its environment variable
	initial any
}

const (
	cws      = "runtime_security_config."
	kills    = cws + "enforcement."
	disarms  = kills + "disarmer."
	hashes   = cws + "hash_resolver."
	server   = cws + "event_server."
	ebpfless = cws + "ebpfless."
)

// rows are the keys in the order in which they are printed. The variable of a key is DD_, the key in upper case, and
// underscores for dots.
var rows = []row{
	{key: "api_key", field: func(c *Config) any { return &c.APIKey }, secret: true, initial: ""},
	{key: "site", field: func(c *Config) any { return &c.Site }, initial: "datadoghq.com"},
	{key: "dd_url", field: func(c *Config) any { return &c.URL }, aliases: []string{"DD_URL"}, initial: ""},
	{key: "log_level", field: func(c *Config) any { return &c.LogLevel }, initial: "info"},
	{key: "hostname", field: func(c *Config) any { return &c.Hostname }, initial: ""},
	{key: "tags", field: func(c *Config) any { return &c.Tags }, initial: []string{}},
	{key: "env", field: func(c *Config) any { return &c.Env }, initial: ""},

	{key: cws + "enabled", field: func(c *Config) any { return &c.Enabled }, initial: false},
	{key: cws + "fim_enabled", field: func(c *Config) any { return &c.FIM }, initial: false},
	{key: ebpfless + "enabled", field: func(c *Config) any { return &c.EBPFLess }, initial: false},
	{key: ebpfless + "socket", field: func(c *Config) any { return &c.Socket }, initial: "localhost:5678"},
	{key: ebpfless + "watch_host", field: func(c *Config) any { return &c.WatchHost }, initial: true},
	{key: cws + "policies.dir", field: func(c *Config) any { return &c.PolicyDir }, initial: "/etc/datadog-agent/runtime-security.d"},
	{key: cws + "policies.watch_dir", field: func(c *Config) any { return &c.PolicyWatch }, initial: false},
	{key: cws + "env_as_tags", field: func(c *Config) any { return &c.EnvsAsTags }, initial: []string{}},
	{key: server + "burst", field: func(c *Config) any { return &c.EventBurst }, initial: 40},
	{key: server + "rate", field: func(c *Config) any { return &c.EventRate }, initial: 10},
	{key: server + "retention", field: func(c *Config) any { return &c.EventRetention }, initial: 6 * time.Second},
	{key: cws + "self_test.enabled", field: func(c *Config) any { return &c.SelfTest }, initial: true},
	{key: hashes + "enabled", field: func(c *Config) any { return &c.HashEnabled }, initial: true},
	{key: hashes + "event_types", field: func(c *Config) any { return &c.HashEventTypes }, initial: []string{"exec", "open"}},
	{key: hashes + "max_file_size", field: func(c *Config) any { return &c.HashMaxFileSize }, initial: 5 << 20},
	{key: hashes + "max_hash_rate", field: func(c *Config) any { return &c.HashMaxRate }, initial: 500},
	{key: hashes + "hash_algorithms", field: func(c *Config) any { return &c.HashAlgorithms }, initial: []string{"sha1", "sha256", "ssdeep"}},
	{key: kills + "enabled", field: func(c *Config) any { return &c.Enforcement }, initial: true},
	{key: kills + "exclude_binaries", field: func(c *Config) any { return &c.EnforcementExclude }, initial: []string{}},
	{key: disarms + "container.enabled", field: func(c *Config) any { return &c.DisarmContainer.Enabled }, initial: true},
	{key: disarms + "container.max_allowed", field: func(c *Config) any { return &c.DisarmContainer.MaxAllowed }, initial: 5},
	{key: disarms + "container.period", field: func(c *Config) any { return &c.DisarmContainer.Period }, initial: time.Minute},
	{key: disarms + "executable.enabled", field: func(c *Config) any { return &c.DisarmExecutable.Enabled }, initial: true},
	{key: disarms + "executable.max_allowed", field: func(c *Config) any { return &c.DisarmExecutable.MaxAllowed }, initial: 5},
	{key: disarms + "executable.period", field: func(c *Config) any { return &c.DisarmExecutable.Period }, initial: time.Minute},
	{key: disarms + "process.enabled", field: func(c *Config) any { return &c.DisarmProcess.Enabled }, initial: true},
	{key: disarms + "process.max_allowed", field: func(c *Config) any { return &c.DisarmProcess.MaxAllowed }, initial: 100},
	{key: disarms + "process.period", field: func(c *Config) any { return &c.DisarmProcess.Period }, initial: time.Minute},

	{key: "event_monitoring_config.envs_with_value", field: func(c *Config) any { return &c.EnvsWithValues }, aliases: []string{"DD_RUNTIME_SECURITY_CONFIG_ENVS_WITH_VALUE"}, initial: []string{
		"LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "HISTSIZE", "HISTFILESIZE", "GLIBC_TUNABLES", "SSH_CLIENT",
		"DD_SERVICE", "OTEL_SERVICE_NAME", "CLAUDECODE", "RUNNER_TRACKING_ID",
	}},
}
