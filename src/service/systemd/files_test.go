package systemd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestFolders finds a unit in each of systemd's folders, and in none that comes later while an earlier one has it.
func TestFolders(t *testing.T) {
	var files []txtar.File
	for i := len(folders) - 1; i >= 0; i-- {
		folder := strings.TrimPrefix(folders[i], "/")
		files = append(files, txtar.File{Name: folder + "/x.service", Data: []byte("[Service]\nExecStart=/bin/in" + folders[i] + "\n")})
		h := hostOf(t, &txtar.Archive{Files: files})
		h.Version = 252
		dropIn, err := h.Wrap("x")
		if err != nil {
			t.Errorf("%s: %v", folders[i], err)
		} else if want := " -- /bin/in" + folders[i] + "\n"; !strings.Contains(dropIn.Text, want) {
			t.Errorf("%s: want%sin\n%s", folders[i], want, dropIn.Text)
		}
	}
}

// TestDropInsOfFolders: a drop-in of the same name counts once, from the folder that wins.
func TestDropInsOfFolders(t *testing.T) {
	h := hostOf(t, &txtar.Archive{Files: []txtar.File{
		{Name: "usr/lib/systemd/system/x.service", Data: []byte("[Service]\nExecStart=/bin/x\n")},
		{Name: "usr/lib/systemd/system/x.service.d/a.conf", Data: []byte("[Service]\nExecStart=/bin/never\n")},
		{Name: "etc/systemd/system/x.service.d/a.conf", Data: []byte("[Service]\nExecStart=\nExecStart=/bin/y\n")},
		{Name: "run/systemd/system/x.service.d/b.conf", Data: []byte("[Service]\nExecStart=\nExecStart=/bin/z\n")},
	}})
	h.Version = 252
	dropIn, err := h.Wrap("x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dropIn.Text, " -- /bin/z\n") || strings.Contains(dropIn.Text, "/bin/y") || strings.Contains(dropIn.Text, "never") {
		t.Error(dropIn.Text)
	}
}

// TestNumbers: what has no id in our namespace is listed as 0, and can't be attached to.
func TestNumbers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cgroup.procs")
	if err := os.WriteFile(file, []byte("0\n65\n0\n7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := numbers(file); err != nil || !slices.Equal(got, []int{65, 7}) {
		t.Errorf("%v, %v", got, err)
	}
}
