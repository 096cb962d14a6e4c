package systemd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

const (
	bare      = "[Service]\nExecStart=/bin/x\n"
	enablable = bare + "[Install]\nWantedBy=multi-user.target\n"
	vendor    = "usr/lib/systemd/system/"
	admin     = "etc/systemd/system/"
)

// TestUnasked: a static or generated x.service is refused by a line that names who starts it or what it is made of; in every other
// state that systemd knows it is wrapped.
func TestUnasked(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string // "-> TARGET" is a link
		want  string            // of the reason; empty where it is wrapped
	}{
		"static": {map[string]string{vendor + "x.service": bare}, "it is static: its unit has no [Install] section, and no socket"},
		"static, with an empty list": {
			map[string]string{vendor + "x.service": enablable, admin + "x.service.d/a.conf": "[Install]\nWantedBy=\n"}, "it is static"},
		"static, with a socket": {
			map[string]string{vendor + "x.service": bare, vendor + "x.socket": "[Socket]\nListenStream=1\n"}, ", and x.socket starts it"},
		"static, with a masked socket": {
			map[string]string{vendor + "x.service": bare, admin + "x.socket": "-> /dev/null"}, "no socket"},
		"static, with a timer of another name": {
			map[string]string{vendor + "x.service": bare, admin + "y.timer": "[Timer]\nUnit=x.service\n", admin + "z.timer": "[Timer]\n"}, ", and y.timer starts it"},
		"static, with a target and a path": {
			map[string]string{vendor + "x.service": bare, vendor + "a.target.wants/x.service": "-> ../x.service", vendor + "x.path": "[Path]\n"},
			", and a.target, x.path start it"},
		"static, on the bus": {
			map[string]string{vendor + "x.service": bare + "BusName=org.x\n", "usr/share/dbus-1/system-services/org.x.service": ""}, "a call to org.x on D-Bus starts it"},
		"static, by an alias": {
			map[string]string{vendor + "real.service": bare, vendor + "x.service": "-> real.service"}, "it is static"},
		"generated": {map[string]string{"etc/init.d/x": ""}, "it is generated: systemd-sysv-generator makes its unit from /etc/init.d/x"},

		"disabled":                 {map[string]string{vendor + "x.service": enablable}, ""},
		"disabled, by a drop-in":   {map[string]string{vendor + "x.service": bare, admin + "x.service.d/a.conf": "[Install]\nRequiredBy=a.target\n"}, ""},
		"indirect by Also=":        {map[string]string{vendor + "x.service": bare + "[Install]\nAlso=x.socket\n"}, ""},
		"indirect by another name": {map[string]string{vendor + "x.service": bare, admin + "y.service": "-> /usr/lib/systemd/system/x.service"}, ""},
		"linked":                   {map[string]string{"opt/x.service": bare, admin + "x.service": "-> /opt/x.service"}, ""},
		"enabled by hand":          {map[string]string{vendor + "x.service": bare, admin + "a.target.wants/x.service": "-> /usr/lib/systemd/system/x.service"}, ""},
		"enabled at runtime":       {map[string]string{vendor + "x.service": bare, "run/systemd/system/a.target.requires/x.service": "-> /usr/lib/systemd/system/x.service"}, ""},
		"transient":                {map[string]string{"run/systemd/transient/x.service": bare}, ""},
		"its settings insist":      {map[string]string{vendor + "x.service": bare, "etc/cws/x.conf": "Force=yes\n"}, ""},
		"its settings don't":       {map[string]string{vendor + "x.service": bare, "etc/cws/x.conf": "InstallFilter=yes\n"}, "it is static"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hostOf(t, &txtar.Archive{})
			lay(t, h, c.files)
			if _, err := h.Wrap("x"); err != nil {
				t.Errorf("in spite of force: %v", err)
			}
			h.Force = false
			_, err := h.Wrap("x")
			var obstacle *service.Obstacle
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want == "":
			case !errors.As(err, &obstacle) || !strings.Contains(obstacle.Reason, c.want):
				t.Errorf("%v, want %s", err, c.want)
			case !strings.HasPrefix(obstacle.Hint, "cwsctl wrap --force x ") || !strings.HasSuffix(obstacle.Hint, "Force=yes to /etc/cws/x.conf"):
				t.Error(obstacle.Hint)
			}
		})
	}
}

func lay(t *testing.T, h Host, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(h.Root, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if target, link := strings.CutPrefix(text, "-> "); link {
			err = errors.Join(err, os.Symlink(target, path))
		} else {
			err = errors.Join(err, os.WriteFile(path, []byte(text), 0o755))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestInsist: --force writes what the generator needs, once, and it is taken back to the byte.
func TestInsist(t *testing.T) {
	for before, want := range map[string]string{
		"":                          insistence,
		"InstallFilter=yes":         insistence + "InstallFilter=yes",
		"InstallFilter=yes\n":       insistence + "InstallFilter=yes\n",
		"# mine\nForce=yes\n":       "# mine\nForce=yes\n",
		insistence + "Match=x\n# y": insistence + "Match=x\n# y",
	} {
		h := hostOf(t, &txtar.Archive{})
		lay(t, h, map[string]string{vendor + "x.service": bare})
		path := filepath.Join(h.Root, "etc/cws/x.conf")
		if before != "" {
			lay(t, h, map[string]string{"etc/cws/x.conf": before})
		}
		for range 2 {
			if err := h.insist("x"); err != nil {
				t.Fatal(err)
			}
		}
		got, _ := os.ReadFile(path)
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%q: %s", before, diff)
		}
		h.Force = false
		if _, err := h.Wrap("x"); err != nil {
			t.Errorf("%q: %v", before, err)
		}
		for range 2 {
			if err := h.relent("x"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if mine := strings.TrimPrefix(before, insistence); string(got) != mine || (err != nil) != (mine == "") {
			t.Errorf("%q: %q, %v are left", before, got, err)
		}
	}
	h := hostOf(t, &txtar.Archive{})
	lay(t, h, map[string]string{vendor + "x.service": enablable})
	if err := h.insist("x"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(h.Root, "etc/cws")); err == nil {
		t.Error("a service that needs no force gets settings")
	}
}
