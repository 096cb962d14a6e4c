package config

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAMissingFileIsTheDefaults(t *testing.T) {
	c, warnings, err := Load(filepath.Join(t.TempDir(), "absent.yaml"), nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	if c.EBPFLess || c.Socket != "localhost:5678" || c.PolicyDir != "/etc/datadog-agent/runtime-security.d" || c.EventRetention != 6*time.Second {
		t.Errorf("defaults are %+v", c)
	}
}

func TestTheEnvironmentWins(t *testing.T) {
	file := "runtime_security_config:\n  enabled: true\n  ebpfless:\n    enabled: false\n    socket: 127.0.0.1:1\ntags: [a, b]\n"
	c, _, err := Parse("f.yaml", []byte(file), []string{
		"DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=True", "DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_SOCKET=0.0.0.0:9",
		`DD_RUNTIME_SECURITY_CONFIG_ENV_AS_TAGS=["x y","z"]`, "DD_TAGS=one two", "DD_UNKNOWN=1", "PATH=/bin",
		"DD_RUNTIME_SECURITY_CONFIG_ENVS_WITH_VALUE=HOME",
	})
	if err != nil {
		t.Fatal(err)
	}
	if !c.Enabled || !c.EBPFLess || c.Socket != "0.0.0.0:9" {
		t.Errorf("got %+v", c)
	}
	for name, got := range map[string][]string{"x y,z": c.EnvsAsTags, "one,two": c.Tags, "HOME": c.EnvsWithValues} {
		if strings.Join(got, ",") != name {
			t.Errorf("list is %q, want %q", got, name)
		}
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"a: [1\nb: 2\n": "f.yaml:",
		"runtime_security_config:\n  enabled: maybe\n": `f.yaml:2: runtime_security_config.enabled: "maybe" is not true or false`,
		"runtime_security_config: 7\n":                 "f.yaml:1: runtime_security_config: expected keys and values",
		"site: a\nsite: b\n":                           "f.yaml:2: site is given twice, first on line 1",
		"- a\n":                                        "f.yaml:1: expected keys and values",
		"tags: {a: b}\n":                               "f.yaml:1: tags: expected a list of strings",
		"site: [a]\n":                                  "f.yaml:1: site: expected a single value",
		"runtime_security_config: {ebpfless: {socket: nowhere}}":                            `"nowhere" is not host:port`,
		"runtime_security_config: {ebpfless: {socket: '[::1]:5'}}":                          "not an IPv4 address",
		"runtime_security_config: {enforcement: {disarmer: {container: {max_allowed: 0}}}}": "max_allowed 0 must be above 0",
		"runtime_security_config:\n\tenabled: true\n":                                       "f.yaml:2: broken YAML",
	} {
		_, _, err := Parse("f.yaml", []byte(text), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	_, _, err := Parse("f.yaml", nil, []string{"DD_RUNTIME_SECURITY_CONFIG_ENABLED=2"})
	if err == nil || !strings.Contains(err.Error(), "DD_RUNTIME_SECURITY_CONFIG_ENABLED") {
		t.Errorf("bad variable: %v", err)
	}
}

func TestWhatIsNotKnownIsToldAndIgnored(t *testing.T) {
	c, warnings, err := Parse("f.yaml", []byte("network_config: {enabled: true}\nruntime_security_config:\n  enabled: true\n  activity_dump: {enabled: true}\n"), nil)
	if err != nil || !c.Enabled {
		t.Fatal(c, err)
	}
	if diff := cmp.Diff([]string{"f.yaml:4: runtime_security_config.activity_dump is not known here and is ignored"}, warnings); diff != "" {
		t.Error(diff)
	}
}

// The guide checks the configuration with grep -A 1 ebpfless.
func TestTheGuidesCheckSucceeds(t *testing.T) {
	c, _, err := Parse("f.yaml", nil, []string{"DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true", "DD_API_KEY=0123456789"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := c.WriteYAML(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	var found []string
	for i, line := range lines {
		if strings.Contains(line, "ebpfless") {
			found = append(found, lines[i:i+2]...)
		}
	}
	if diff := cmp.Diff([]string{"  ebpfless:", "    enabled: true"}, found); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(out.String(), "0123456789") {
		t.Error("the API key is printed")
	}
	again, _, err := Parse("printed", out.Bytes(), nil)
	if err != nil {
		t.Fatal(err)
	}
	again.APIKey = c.APIKey
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("what is printed reads differently:\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("runtime_security_config: {enabled: true, ebpfless: {socket: 'a:1'}}"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("tags: [x]\r\nsite:\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _, err := Parse("f", text, nil)
		if (c == nil) == (err == nil) {
			t.Fatal("neither a configuration nor an error")
		}
	})
}
