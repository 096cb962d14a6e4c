package config

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// accessFor is a list that lets one more user read (linux/posix_acl_xattr.h, version 2).
func accessFor(uid uint32) []byte {
	var list bytes.Buffer
	binary.Write(&list, binary.LittleEndian, uint32(2))
	for _, entry := range []struct {
		tag, permissions uint16
		id               uint32
	}{
		{0x01, 6, ^uint32(0)}, {0x02, 4, uid}, {0x04, 4, ^uint32(0)}, {0x10, 4, ^uint32(0)}, {0x20, 0, ^uint32(0)},
	} {
		binary.Write(&list, binary.LittleEndian, entry)
	}
	return list.Bytes()
}

func TestSetFileKeepsAttributes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "system-probe.yaml")
	if err := os.WriteFile(path, []byte("log_level: info\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{accessList: accessFor(12), "user.note": []byte("ours")}
	for name, value := range want {
		if err := unix.Setxattr(path, name, value, 0); err != nil {
			t.Skipf("SKIPPED: this file system takes no %s: %v", name, err)
		}
	}
	if changed, err := SetFile(path, Setting{"log_level", "debug"}); err != nil || !changed {
		t.Fatalf("changed %v: %v", changed, err)
	}
	for _, file := range []string{path, path + ".bak"} {
		for name, value := range want {
			got := make([]byte, 100)
			n, err := unix.Getxattr(file, name, got)
			if err != nil || !bytes.Equal(got[:n], value) {
				t.Errorf("%s has %s %x, want %x: %v", file, name, got[:max(n, 0)], value, err)
			}
		}
	}
}

func TestSetFileGivesNobodyElseAccess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "system-probe.yaml")
	if err := os.WriteFile(path, []byte("log_level: info\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	// What new files in the folder get from now on.
	if err := unix.Setxattr(dir, "system.posix_acl_default", accessFor(12), 0); err != nil {
		t.Skipf("SKIPPED: this file system takes no access control lists: %v", err)
	}
	if _, err := SetFile(path, Setting{"log_level", "debug"}); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Getxattr(path, accessList, make([]byte, 100)); err != unix.ENODATA {
		t.Errorf("it has a list of %d bytes: %v", n, err)
	}
}
