package sinks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/journal"
)

func TestAFileIsPutAsideWhenItIsFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := Open(path, 20, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 8 {
		if _, err := fmt.Fprintf(f, "line %d..\n", i); err != nil { // 9 bytes, two fit
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"out": "line 6..\nline 7..\n", "out.1": "line 4..\nline 5..\n", "out.2": "line 2..\nline 3..\n"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), name))
		if err != nil || string(text) != want {
			t.Errorf("%s holds %q (%v), want %q", name, text, err, want)
		}
	}
	if _, err := os.Stat(path + ".3"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a third file was kept: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("others may use it: %v %v", info.Mode(), err)
	}
}

func TestAFileThatSomebodyElsePutsAsideIsFollowedByANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := Open(path, 1000, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprint(f, "old")
	if err := os.Rename(path, path+"-20260101"); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "new")
	for name, want := range map[string]string{path: "new", path + "-20260101": "old"} {
		if text, err := os.ReadFile(name); err != nil || string(text) != want {
			t.Errorf("%s holds %q (%v), want %q", name, text, err, want)
		}
	}
}

func TestTheJournalGetsFieldsToSearchBy(t *testing.T) {
	var got map[string]string
	var message string
	j := Journal{send: func(text string, _ journal.Priority, fields map[string]string) error {
		message, got = text, fields
		return nil
	}}
	if err := j.Write(detection(t)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"SYSLOG_IDENTIFIER": "system-probe", "RULE_ID": "it", "EVENT_TYPE": "open", "TARGET_PID": "2", "TECHNIQUE": "T1000"} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if strings.ContainsAny(message, "\x1b\n") || !strings.HasPrefix(message, "it: a test: ") || !strings.Contains(got["DETECTION"], `"rule_id":"it"`) {
		t.Errorf("message %q, detection %q", message, got["DETECTION"])
	}
}
