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

// TestDropInFolders puts a drop-in of one name into each folder that systemd 239 reads for an instance: the first one wins, and
// where that is taken away the next.
func TestDropInFolders(t *testing.T) {
	places := []string{
		"etc/systemd/system/a-b-c@d.service.d", "etc/systemd/system/a-b-c@.service.d", "etc/systemd/system/a-b-.service.d",
		"etc/systemd/system/a-.service.d", "etc/systemd/system/a-b-@d.service.d", "etc/systemd/system/a-b-@.service.d",
		"etc/systemd/system/a-@d.service.d", "etc/systemd/system/a-@.service.d", "usr/lib/systemd/system/a-b-c@d.service.d",
		"usr/lib/systemd/system/a-@.service.d", "etc/systemd/system/service.d", "usr/lib/systemd/system/service.d",
	}
	for i := range places {
		files := []txtar.File{
			{Name: "usr/lib/systemd/system/a-b-c@.service", Data: []byte("[Service]\nExecStart=/bin/x\n")},
			{Name: "etc/systemd/system/a-b.service.d/a.conf", Data: []byte("[Service]\nExecStart=/bin/another\n")},
		}
		for _, place := range places[i:] {
			files = append(files, txtar.File{Name: place + "/a.conf", Data: []byte("[Service]\nExecStart=\nExecStart=/bin/in/" + place + "\n")})
		}
		h := hostOf(t, &txtar.Archive{Files: files})
		h.Version = 239
		dropIn, err := h.Wrap("a-b-c@d")
		if err != nil {
			t.Fatal(err)
		}
		if want := " -- /bin/in/" + places[i] + "\n"; !strings.Contains(dropIn.Text, want) {
			t.Errorf("want%sin\n%s", want, dropIn.Text)
		}
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
