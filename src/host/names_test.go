package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// names reads two files that the test writes.
func names(t *testing.T, users, groups string) (n *Names, passwd string) {
	t.Helper()
	dir := t.TempDir()
	passwd = filepath.Join(dir, "passwd")
	group := filepath.Join(dir, "group")
	for path, text := range map[string]string{passwd: users, group: groups} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TEST_DD_PASSWD_PATH", passwd)
	t.Setenv("TEST_DD_GROUP_PATH", group)
	return NewNames(), passwd
}

func TestNamesOfUsersAndGroups(t *testing.T) {
	n, _ := names(t, `root:x:0:0:root:/root:/bin/bash
toor:x:0:0:a second name for the same:/root:/bin/sh
# a comment

+::::::
short:x
negative:x:-1:0::/:/bin/sh
large:x:4294967296:0::/:/bin/sh
nobody:x:65534:65534::/:/bin/false
last:x:4294967294:1::/:/bin/sh`, "root:x:0:\nwheel:x:10:root,toor\nempty::20:\ncut:x:30\n")
	for id, want := range map[uint32]string{0: "root", 65534: "nobody", 1<<32 - 2: "last", 1<<32 - 1: "", 10: "", 7: ""} {
		if got := n.User(id); got != want {
			t.Errorf("user %d is %q, want %q", id, got, want)
		}
	}
	for id, want := range map[uint32]string{0: "root", 10: "wheel", 20: "empty", 30: "cut", 65534: ""} {
		if got := n.Group(id); got != want {
			t.Errorf("group %d is %q, want %q", id, got, want)
		}
	}
}

// A group of a directory service has more members than fit into a scanner's line.
func TestALongLineHidesNoGroup(t *testing.T) {
	n, _ := names(t, "", "before:x:1:\nlarge:x:2:"+strings.Repeat("member,", 20_000)+"\nafter:x:3:\n")
	for id, want := range map[uint32]string{1: "before", 2: "large", 3: "after"} {
		if got := n.Group(id); got != want {
			t.Errorf("group %d is %q, want %q", id, got, want)
		}
	}
}

func TestNamesFollowTheFile(t *testing.T) {
	n, passwd := names(t, "one:x:1:1:::\n", "")
	if got := n.User(1); got != "one" {
		t.Fatalf("user 1 is %q", got)
	}
	rewrite := func(text string, age time.Duration) {
		if err := os.WriteFile(passwd, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		written := time.Now().Add(-age)
		if err := os.Chtimes(passwd, written, written); err != nil {
			t.Fatal(err)
		}
	}
	rewrite("uno:x:1:1:::\n", time.Hour)
	if got := n.User(1); got != "one" {
		t.Errorf("within a second user 1 is %q already", got)
	}
	later(n)
	if got := n.User(1); got != "uno" {
		t.Errorf("after a change user 1 is %q", got)
	}
	rewrite("two:x:2:2:::\n", 2*time.Hour) // a file that is put back is older than the one before
	later(n)
	if got := n.User(1) + n.User(2); got != "two" {
		t.Errorf("after a second change users 1 and 2 are %q", got)
	}
	if err := os.Remove(passwd); err != nil {
		t.Fatal(err)
	}
	later(n)
	if got := n.User(2); got != "two" {
		t.Errorf("while the file is being replaced user 2 is %q", got)
	}
}

// later makes the next question come more than a second after the last.
func later(n *Names) { n.users.looked = n.users.looked.Add(-2 * time.Second) }

func TestWithoutFilesThereAreNoNames(t *testing.T) {
	t.Setenv("TEST_DD_PASSWD_PATH", "/absent/passwd")
	t.Setenv("TEST_DD_GROUP_PATH", "/absent/group")
	n := NewNames()
	if got := n.User(0) + n.Group(0); got != "" {
		t.Errorf("names %q", got)
	}
}
