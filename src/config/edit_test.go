package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const enabled = "runtime_security_config.ebpfless.enabled"

func TestSetLeavesEverythingElseAsItIs(t *testing.T) {
	const key = "runtime_security_config:\n  ebpfless:\n    enabled: true\n"
	for _, c := range []struct{ name, before, after string }{
		{"empty", "", key},
		{"only a comment", "# mine\n", "# mine\n" + key},
		{"no newline at the end", "log_level: debug", "log_level: debug\n" + key},
		{"other keys", "log_level: debug\n", "log_level: debug\n" + key},
		{"false, with a comment", "runtime_security_config:\n  ebpfless:\n    enabled: false # why\n", "runtime_security_config:\n  ebpfless:\n    enabled: true # why\n"},
		{"quoted", "runtime_security_config:\n  ebpfless:\n    enabled: \"false\"\n", key},
		{"flow", "runtime_security_config:\n  ebpfless: {enabled: false}\n", "runtime_security_config:\n  ebpfless: {enabled: true}\n"},
		{"empty flow", "runtime_security_config:\n  ebpfless: {}\n", "runtime_security_config:\n  ebpfless: {enabled: true}\n"},
		{"flow with another key", "runtime_security_config: {enabled: true} # x\n", "runtime_security_config: {ebpfless: {enabled: true}, enabled: true} # x\n"},
		{"no ebpfless yet", "runtime_security_config:\n  # the switch\n  enabled: true\n", "runtime_security_config:\n  ebpfless:\n    enabled: true\n  # the switch\n  enabled: true\n"},
		{"deep indentation", "runtime_security_config:\n        enabled: true\n", "runtime_security_config:\n        ebpfless:\n          enabled: true\n        enabled: true\n"},
		{"nothing below the key", "runtime_security_config:\nlog_level: debug\n", "runtime_security_config:\n  ebpfless:\n    enabled: true\nlog_level: debug\n"},
		{"no value", "runtime_security_config:\n  ebpfless:\n    enabled:   # later\n", "runtime_security_config:\n  ebpfless:\n    enabled: true   # later\n"},
		{"CRLF", "log_level: debug\r\nruntime_security_config:\r\n  enabled: true\r\n", "log_level: debug\r\nruntime_security_config:\r\n  ebpfless:\r\n    enabled: true\r\n  enabled: true\r\n"},
		{"an anchor elsewhere", "tags: &t [a]\n", "tags: &t [a]\n" + key},
		{"keys that are not known", "runtime_security_config:\n  activity_dump:\n    enabled: false\n", "runtime_security_config:\n  ebpfless:\n    enabled: true\n  activity_dump:\n    enabled: false\n"},
		{"no newline inside", "runtime_security_config:\n  ebpfless:\n    enabled: no-newline", ""},
		{"a tab", "runtime_security_config:\n\tebpfless: {}\n", ""},
		{"twice", "log_level: a\nlog_level: b\n", ""},
		{"an anchor at the value", "runtime_security_config:\n  ebpfless:\n    enabled: &x false\n", ""},
		{"an alias", "x: &x {enabled: false}\nruntime_security_config:\n  ebpfless: *x\n", ""},
		{"a list", "- a\n", ""},
	} {
		got, err := Set("test.yaml", []byte(c.before), enabled, "true")
		if string(got) != c.after || (err == nil) != (c.after != "") {
			t.Errorf("%s: got %v\n%s\nwant\n%s", c.name, err, got, c.after)
		}
	}
}

func TestSetTakesValuesOfEachType(t *testing.T) {
	text := []byte("log_level: info\n")
	for _, c := range []struct{ key, value, line string }{
		{"log_level", "debug", `log_level: "debug"`},
		{"tags", "a:b c:d", `tags: ["a:b","c:d"]`},
		{"runtime_security_config.event_server.burst", "7", "    burst: 7"},
		{"runtime_security_config.enforcement.disarmer.container.period", "30s", "        period: 30s"},
	} {
		out, err := Set("test.yaml", text, c.key, c.value)
		if err != nil || !strings.Contains(string(out), c.line+"\n") {
			t.Errorf("%s: %v\n%s", c.key, err, out)
		}
	}
	for key, value := range map[string]string{"nothing.known": "1", enabled: "perhaps", "runtime_security_config.event_server.burst": "-1"} {
		if out, err := Set("test.yaml", text, key, value); err == nil {
			t.Errorf("%s: %s was accepted: %s", key, value, out)
		}
	}
}

func TestSetFileKeepsTheOldOneAndWritesOnlyWhatChanges(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(file, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		if changed, err := SetFile(link, Setting{enabled, "true"}); err != nil || changed != want {
			t.Fatalf("time %d: changed %v, %v", i, changed, err)
		}
	}
	if target, err := os.Readlink(link); err != nil || target != file {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if old, err := os.ReadFile(file + ".bak"); err != nil || string(old) != "# mine\n" {
		t.Errorf("the old file is %q, %v", old, err)
	}
	fresh := filepath.Join(dir, "new.yaml")
	if changed, err := SetFile(fresh, Setting{enabled, "true"}); err != nil || !changed {
		t.Errorf("a new file: %v, %v", changed, err)
	}
	if info, err := os.Stat(fresh); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
}

func TestSetFileSetsAllOrNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "system-probe.yaml")
	if err := os.WriteFile(file, []byte("log_level: debug\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if changed, err := SetFile(file, Setting{"site", "example.com"}, Setting{enabled, "perhaps"}); err == nil || changed {
		t.Errorf("changed %v, %v", changed, err)
	}
	if names, _ := filepath.Glob(file + "*"); len(names) != 1 {
		t.Errorf("left behind: %q", names)
	}
	if changed, err := SetFile(file, Setting{"site", "example.com"}, Setting{enabled, "true"}); err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if old, err := os.ReadFile(file + ".bak"); err != nil || string(old) != "log_level: debug\n" {
		t.Errorf("the file of before is %q, %v", old, err)
	}
}

func TestFromEnvironment(t *testing.T) {
	settings, unknown := FromEnvironment([]string{
		"HOME=/root", "DD_URL=https://example.com", "DD_SITE=", "DD_AGENT_MAJOR_VERSION=7", "DD_RUNTIME_SECURITY_CONFIG_FIM_ENABLED=true",
		"DD_RUNTIME_SECURITY_CONFIG_SBOM_ENABLED=true", "DD_RUNTIME_SECURITY_CONFIG_ENVS_WITH_VALUE=PATH", "DD_API_KEY=x=y",
	})
	want := []Setting{{"api_key", "x=y"}, {"dd_url", "https://example.com"}, {cws + "fim_enabled", "true"}, {"event_monitoring_config.envs_with_value", "PATH"}}
	if !slices.Equal(settings, want) || !slices.Equal(unknown, []string{"DD_RUNTIME_SECURITY_CONFIG_SBOM_ENABLED"}) {
		t.Errorf("got %v, unknown %v", settings, unknown)
	}
}

func FuzzSet(f *testing.F) {
	f.Add([]byte("runtime_security_config: {ebpfless: {enabled: false}}\n"), "true")
	f.Add([]byte("a: &b [c]\nruntime_security_config:\n  enabled: true\n"), "false")
	f.Fuzz(func(t *testing.T, text []byte, value string) {
		out, err := Set("fuzz.yaml", text, enabled, value)
		if err != nil {
			return
		}
		if again, err := Set("fuzz.yaml", out, enabled, value); err != nil || string(again) != string(out) {
			t.Errorf("set again: %v\n%q\n%q", err, out, again)
		}
	})
}
