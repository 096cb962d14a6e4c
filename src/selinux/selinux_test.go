package selinux

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// host makes a kernel of files; answers are what selinuxfs says to the questions that start so.
func host(t *testing.T, files, answers map[string]string) Kernel {
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Kernel{
		FS: filepath.Join(dir, "fs"), Attributes: filepath.Join(dir, "attr"),
		Label: func(string) (string, error) { return "system_u:object_r:httpd_exec_t:s0", nil },
		Ask: func(path, question string) (string, error) {
			answer, known := answers[filepath.Base(path)+" "+question]
			if !known {
				return "", errors.New("unexpected question: " + question)
			}
			return answer, nil
		},
	}
}

const (
	tracer = "system_u:system_r:cws_tracer_t:s0"
	httpd  = "system_u:system_r:httpd_t:s0"
	create = "create system_u:system_r:init_t:s0 system_u:object_r:httpd_exec_t:s0 2"
	access = "access " + tracer + " " + httpd + " 2"
)

func enforcing(current string) map[string]string {
	return map[string]string{
		"fs/enforce": "1", "fs/class/process/index": "2", "fs/class/process/perms/ptrace": "7",
		"attr/current": current + "\x00", "attr/prev": "system_u:system_r:init_t:s0\x00",
	}
}

func TestSuccessorIsWhatTheStarterWouldHaveGot(t *testing.T) {
	got, err := host(t, enforcing(tracer), map[string]string{create: httpd}).Successor("/usr/sbin/nginx")
	if got != httpd || err != nil {
		t.Errorf("got %q, %v; want %q", got, err, httpd)
	}
}

func TestSuccessorIsTheKernelsChoiceOutsideOfTheTracersDomain(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"unconfined": enforcing("unconfined_u:unconfined_r:unconfined_t:s0"), "without SELinux": nil, "no context": enforcing("kernel"),
	} {
		if got, err := host(t, files, nil).Successor("/usr/sbin/nginx"); got != "" || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestMayTraceReadsTheDecision(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		may    bool
	}{
		"allowed":                        {"40 ffffffff 0 ffffffff 5 0", true},
		"all but that":                   {"ffffffbf ffffffff 0 ffffffff 5 0", false},
		"denied":                         {"0 ffffffff 0 ffffffff 5 0", false},
		"denied to a permissive domain":  {"0 ffffffff 0 ffffffff 5 1", true},
		"not a number":                   {"nonsense", true},
		"nothing":                        {"", true},
		"an old kernel, without the end": {"0 ffffffff 0 ffffffff 5", false},
	} {
		err := host(t, enforcing(tracer), map[string]string{access: c.answer}).MayTrace(httpd)
		if c.may && err != nil || !c.may && !errors.Is(err, ErrMayNotTrace) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "httpd_t") {
			t.Errorf("%s: %q does not name the domain", name, err)
		}
	}
}

func TestMayTraceIsYesWhereNothingIsEnforced(t *testing.T) {
	permissive := enforcing(tracer)
	permissive["fs/enforce"] = "0"
	if err := host(t, permissive, nil).MayTrace(httpd); err != nil {
		t.Error(err)
	}
	if err := host(t, nil, nil).MayTrace(""); err != nil {
		t.Error(err)
	}
}

func TestPtraceDeniedReadsTheBooleanInForce(t *testing.T) {
	for name, c := range map[string]struct {
		enforce, value string
		want           bool
	}{
		"on": {"1", "1 1", true}, "off": {"1", "0 0", false}, "not committed": {"1", "0 1", false}, "permissive": {"0", "1 1", false},
	} {
		k := host(t, map[string]string{"fs/enforce": c.enforce, "fs/booleans/deny_ptrace": c.value}, nil)
		if got := k.PtraceDenied(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
	if host(t, map[string]string{"fs/enforce": "1"}, nil).PtraceDenied() {
		t.Error("a policy without the boolean denies ptrace")
	}
}

func TestSetExecAsksForTheContext(t *testing.T) {
	k := host(t, map[string]string{"attr/exec": ""}, nil)
	if err := k.SetExec(httpd); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(k.Attributes, "exec"))
	if string(text) != httpd || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}
