package systemd

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is made as what is wanted")

// versions are the oldest of each class: 208 has nothing special, 231 the prefix !, 239 more drop-ins, 247 a /run in root
// folders. A service that looks the same in several is wanted once, as of the first.
var versions = []int{208, 231, 239, 247, 257}

// hostOf unpacks an archive as a host, with a tracer. Who enables its services is no matter there.
func hostOf(t *testing.T, archive *txtar.Archive) Host {
	t.Helper()
	root := t.TempDir()
	tracer := filepath.Join(root, DefaultTracer)
	for _, file := range append(archive.Files, txtar.File{Name: DefaultTracer}) {
		path := filepath.Join(root, file.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if path == tracer || strings.HasPrefix(file.Name, "etc/init.d/") || strings.Contains(file.Name, "/bin/") {
			mode = 0o755
		}
		if err := os.WriteFile(path, file.Data, mode); err != nil {
			t.Fatal(err)
		}
	}
	return Host{Root: root, Tracer: DefaultTracer, Force: true}
}

// TestDropIns compares what is made for x.service of each archive with what is wanted, by version of systemd.
func TestDropIns(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives: ", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			given := slices.DeleteFunc(slices.Clone(archive.Files), func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want ") })
			h := hostOf(t, &txtar.Archive{Files: given})
			got := made(h)
			if *update {
				archive.Files = append(given, got...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := archive.Files[len(given):]
			if diff := cmp.Diff(texts(want), texts(got)); diff != "" {
				t.Errorf("(-want +got; go test -update accepts it)\n%s", diff)
			}
		})
	}
}

// made gives a file for each version that makes something else than the one before.
func made(h Host) []txtar.File {
	var list []txtar.File
	last := ""
	for _, version := range versions {
		h.Version = version
		text := ""
		dropIn, err := h.Wrap("x")
		var obstacle *service.Obstacle
		switch {
		case errors.As(err, &obstacle):
			text = "refused: " + obstacle.Reason + "\nhint: " + obstacle.Hint + "\n"
		case err != nil:
			text = "error: " + err.Error() + "\n"
		default:
			text = dropIn.Path + "\n" + dropIn.Text
		}
		if text != last {
			list = append(list, txtar.File{Name: fmt.Sprintf("want %d", version), Data: []byte(text)})
		}
		last = text
	}
	return list
}

func texts(files []txtar.File) map[string]string {
	m := map[string]string{}
	for _, f := range files {
		m[f.Name] = string(f.Data)
	}
	return m
}

// TestVerified has systemd itself read what is made, and the units as they are installed.
func TestVerified(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze to verify units with")
	}
	version, err := Version()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("testdata/*.txtar")
	checked := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h := hostOf(t, archive)
		h.Version = version
		dropIn, err := h.Wrap("x")
		if err != nil {
			continue
		}
		if _, _, err := h.find("x"); err != nil {
			continue // made of an init script
		}
		checked++
		folder := t.TempDir()
		loaded, err := h.Load("x")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(loaded.Fragment)
		if err != nil {
			t.Fatal(err)
		}
		put(t, folder, "x.service", string(text))
		put(t, folder, dropIn.Path, dropIn.Text)
		verify(t, analyze, folder, "x.service", filepath.Base(file))
	}
	if checked == 0 {
		t.Error("no archive has a drop-in to verify")
	}
	for _, name := range []string{"cws-wrap@.service", "cws-attach@.service"} {
		text, err := os.ReadFile("../../../init/systemd/" + name)
		if err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		instance := strings.Replace(name, "@", "@x", 1)
		put(t, folder, instance, string(text))
		verify(t, analyze, folder, instance, name)
	}
}

// program is the beginning of a command, which systemd wants to be there.
var program = regexp.MustCompile(`(?m)^(Exec\w+=["@:+!-]*)/[^\s"]+`)

func put(t *testing.T, folder, name, text string) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text = program.ReplaceAllString(strings.ReplaceAll(text, "\r", ""), "${1}/bin/sleep")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// verify fails for whatever systemd says of our lines. Users that aren't there are the tests' own.
func verify(t *testing.T, analyze, folder, name, what string) {
	t.Helper()
	put(t, folder, "datadog-agent-sysprobe.service", "[Service]\nExecStart=/bin/sleep 1\n")
	cmd := exec.Command(analyze, "verify", "--man=no", filepath.Join(folder, name))
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+folder+":/usr/lib/systemd/system:/lib/systemd/system", "SYSTEMD_LOG_LEVEL=warning")
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "cws-wrap.conf") || strings.Contains(line, "cws-attach@") || strings.Contains(line, "cws-wrap@") {
			t.Errorf("%s: %s", what, line)
		}
	}
	if err != nil && !t.Failed() {
		t.Errorf("%s: systemd-analyze verify: %v\n%s", what, err, out)
	}
}

func TestNamesThatMeanSomethingElse(t *testing.T) {
	h := hostOf(t, &txtar.Archive{Files: []txtar.File{
		{Name: "usr/lib/systemd/system/real.service", Data: []byte("[Service]\nExecStart=/bin/a\n")},
		{Name: "usr/lib/systemd/system/many@.service", Data: []byte("[Service]\nExecStart=/bin/b %i\n")},
		{Name: "usr/lib/systemd/system/with-dash.service", Data: []byte("[Service]\nExecStart=/bin/c\n")},
		{Name: `usr/lib/systemd/system/odd\x2dname.service`, Data: []byte("[Service]\nExecStart=/bin/d\n")},
	}})
	h.Version = 252
	link := func(target, name string) {
		if err := os.Symlink(target, filepath.Join(h.Root, "usr/lib/systemd/system", name)); err != nil {
			t.Fatal(err)
		}
	}
	link("real.service", "alias.service")
	link("/usr/lib/systemd/system/alias.service", "alias2.service")
	link("/dev/null", "hidden.service")
	link("many@.service", "many@linked.service")
	for instance, want := range map[string]string{
		"real": "real", "real.service": "real", "alias": "real", "alias2": "real", "many@foo": "many@foo", "many@a@b": "many@a@b",
		"many@linked": "many@linked", `with\x2ddash`: "with-dash", `odd\x2dname`: `odd\x2dname`,
	} {
		dropIn, err := h.Wrap(instance)
		if err != nil {
			t.Errorf("%s: %v", instance, err)
		} else if want := want + ".service.d/zz-cws-wrap.conf"; dropIn.Path != want {
			t.Errorf("%s: drop-in %s, want %s", instance, dropIn.Path, want)
		}
	}
	for instance, want := range map[string]error{"hidden": ErrMasked, "nothing": ErrNotFound} {
		if _, err := h.Wrap(instance); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", instance, err, want)
		}
	}
	for _, instance := range []string{"", "../x", "a/b", "a;b", "a\nb", "a b", "$(x)", `a\b`, "-x", strings.Repeat("x", 300)} {
		if dropIn, err := h.Wrap(instance); err == nil {
			t.Errorf("%q: made %s", instance, dropIn.Path)
		}
	}
}

// TestGenerateGoesOn: a service that can't be wrapped, and settings that can't be read, keep no other from its drop-in.
func TestGenerateGoesOn(t *testing.T) {
	service := []byte("[Service]\nExecStart=/bin/x\n[Install]\nWantedBy=multi-user.target\n")
	static := []byte("[Service]\nExecStart=/bin/x\n")
	wants := "etc/systemd/system/multi-user.target.wants/cws-wrap@"
	h := hostOf(t, &txtar.Archive{Files: []txtar.File{
		{Name: "etc/systemd/system/good.service", Data: service},
		{Name: "etc/systemd/system/started.service", Data: service},
		{Name: "etc/systemd/system/stopped.service", Data: service},
		{Name: "etc/systemd/system/bad.service", Data: []byte("[Service]\nSystemCallFilter=read\nExecStart=/bin/x\n")},
		{Name: "etc/systemd/system/static.service", Data: static}, {Name: wants + "static.service"},
		{Name: "etc/systemd/system/insisted.service", Data: static}, {Name: wants + "insisted.service"},
		{Name: "etc/cws/insisted.conf", Data: []byte("Force=yes\n")},
		{Name: wants + "good.service"}, {Name: wants + "bad.service"}, {Name: wants + "gone.service"}, {Name: wants + "stopped.service"},
		{Name: "run/cws/wrap/started", Data: []byte(on)}, {Name: "run/cws/wrap/stopped", Data: []byte(off)},
		{Name: "etc/cws/own.conf", Data: []byte("Command=/bin/own\nArguments=a 'b c'\nRestart=always\n")},
		{Name: "etc/cws/broken.conf", Data: []byte("Command=relative\n")},
	}})
	h.Version, h.Force = 252, false
	out := t.TempDir()
	told := map[string]string{}
	if err := h.Generate(out, func(instance string, err error) { told[instance] = err.Error() }); err != nil {
		t.Fatal(err)
	}
	var written []string
	filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			written = append(written, strings.TrimPrefix(path, out+"/"))
		}
		return err
	})
	want := []string{"cws-wrap@own.service.d/zz-cws-wrap.conf", "good.service.d/zz-cws-wrap.conf",
		"insisted.service.d/zz-cws-wrap.conf", "started.service.d/zz-cws-wrap.conf"}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Error(diff)
	}
	for _, instance := range []string{"bad", "gone", "broken", "static"} {
		if told[instance] == "" {
			t.Errorf("nothing is told of %s: %v", instance, told)
		}
	}
	if len(told) != 4 {
		t.Errorf("told %v", told)
	}
	own, err := os.ReadFile(filepath.Join(out, want[0]))
	if err != nil {
		t.Fatal(err)
	}
	file := unit.Parse(string(own))
	if got := file.All("Service", "ExecStart"); len(got) != 1 || !strings.HasSuffix(got[0], " -- /bin/own a 'b c'") {
		t.Errorf("own command: %q", got)
	}
	if file.Last("Service", "Restart") != "always" || file.Last("Service", "RemainAfterExit") != "no" {
		t.Errorf("own settings: %s", own)
	}
}

// The original's tracer knows neither --wait nor --argv0.
func TestOriginalTracer(t *testing.T) {
	h := hostOf(t, &txtar.Archive{Files: []txtar.File{
		{Name: "etc/systemd/system/x.service", Data: []byte("[Service]\nExecStart=/bin/x\n")},
		{Name: "etc/systemd/system/named.service", Data: []byte("[Service]\nExecStart=@/bin/x y\n")},
	}})
	h.Version, h.Original = 252, true
	dropIn, err := h.Wrap("x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(dropIn.Text, "\nExecStart="+DefaultTracer+" trace -- /bin/x\n") {
		t.Error(dropIn.Text)
	}
	if _, err := h.Wrap("named"); err == nil {
		t.Error("it takes a name that the original can't give")
	}
}
