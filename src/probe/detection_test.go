package probe

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// stories are one detection each, whose JSON lies in testdata. UPDATE=1 writes them anew: look at the difference.
var stories = map[string]struct {
	expression string
	event      event.Event
}{
	"exec": {`exec.file.name == "tee"`, event.Event{}},
	"open": {`open.file.path == "/etc/passwd"`, event.Event{
		Kind: event.Open, Retval: -int64(unix.EACCES), Flags: unix.O_WRONLY | unix.O_APPEND | unix.O_CREAT, Mode: 0o644,
		File: event.File{Path: "/etc/passwd", Inode: 131090, Mode: 0o100644, HasOwner: true, User: "root", Group: "root", MTime: 1e18, CTime: 1e18},
		Span: event.Span{ID: 42, TraceLo: 31},
	}},
	"rename":  {`rename.file.destination.path == "/b"`, event.Event{Kind: event.Rename, File: event.File{Path: "/a", Inode: 1}, Destination: event.File{Path: "/b", Inode: 1}}},
	"setuid":  {`setuid.uid == 0`, event.Event{Kind: event.SetUID, IDs: event.IDs{ID: 0, Effective: -1, Name: "root"}}},
	"connect": {`connect.addr.port == 80`, event.Event{Kind: event.Connect, Retval: -int64(unix.EINPROGRESS), Sock: event.Sock{IP: netip.MustParseAddr("192.0.2.1"), Family: unix.AF_INET, Port: 80, Protocol: 6}}},
	"exit":    {`exit.cause == SIGNALED`, event.Event{Kind: event.Exit, Exit: event.ExitInfo{Code: 11, Cause: event.Signaled}}},
}

func tell(t *testing.T, expression string, last event.Event) *Detection {
	t.Helper()
	e, found := engineWith(t, policyOf("'"+expression+"'", "    description: a story\n    tags: {technique: T1000}\n    version: 1.2.0\n"))
	e.Take(testNS, event.Container{}, executed(1, 0, "/sbin/init", "init"))
	e.Take(testNS, event.Container{}, forked(40, 1))
	e.Take(testNS, event.Container{}, executed(40, 1, "/bin/sh", "sh", "-c", "start"))
	e.Take(testNS, event.Container{}, forked(41, 40))
	program := executed(41, 40, "/usr/bin/tee", "tee", "--password=hunter2", "--token", "abc", "-a", "/etc/passwd")
	program.Exec.TTY, program.Exec.Envs = "pts3", []string{"PATH=/bin", "LANG"}
	program.Exec.Credentials = &event.Credentials{UID: 1000, EUID: 1000, User: "web", EUser: "web", GID: 1000, EGID: 1000, Group: "web", EGroup: "web"}
	e.Take(testNS, event.Container{ID: "4f1c", CreatedAt: 2e18}, program)
	if last.Kind != event.Unknown {
		last.PID, last.Time = 41, 17e17
		e.Take(testNS, event.Container{ID: "4f1c", CreatedAt: 2e18}, &last)
	}
	if len(*found) != 1 {
		t.Fatalf("%d detections", len(*found))
	}
	return (*found)[0]
}

func TestDetectionsAreWrittenInTheOriginalsLayout(t *testing.T) {
	for name, story := range stories {
		b, err := json.MarshalIndent(tell(t, story.expression, story.event), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "hunter2") || strings.Contains(string(b), `"abc"`) {
			t.Errorf("%s holds a secret", name)
		}
		file := filepath.Join("testdata", name+".json")
		if os.Getenv("UPDATE") != "" {
			os.MkdirAll("testdata", 0o755)
			if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimSpace(string(want)), string(b)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestSecretsAreScrubbed(t *testing.T) {
	got := scrub([]string{"--password=x", "api_key=x", "--token", "x", "-p", "x", "--secret", "--flag", "plain"})
	want := []string{"--password=********", "api_key=********", "--token", "********", "-p", "x", "--secret", "--flag", "plain"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestArgumentsAsRulesSeeThem(t *testing.T) {
	args := []string{"-ln", "--version", "-a_b", "--v", "-x=1", "-T", "8", "--width=8", "file"}
	if diff := cmp.Diff([]string{"l", "n", "ln", "version", "a_b", "T"}, flagsOf(args)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"x=1", "T=8", "width=8"}, optionsOf(args)); diff != "" {
		t.Error(diff)
	}
}
