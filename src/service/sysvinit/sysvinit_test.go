package sysvinit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/google/go-cmp/cmp"
)

// daemon is an init script that notes what is done to it.
const daemon = `#!/bin/sh
# chkconfig: 345 85 15
# description: a daemon
state=%[1]s/state
echo "$1" >>%[1]s/calls
case "$1" in
start) touch "$state" ;;
stop) rm -f "$state" ;;
status) [ -e "$state" ] || exit 3 ;;
esac
`

// tracer runs its command, as the real one does, and notes it.
const tracer = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
echo "traced $*" >>%[1]s/calls
exec "$@"
`

// chkconfig does what it must: links by the numbers of the header.
const chkconfig = `#!/bin/sh
set -eu
root=%[1]s
for level in 0 1 2 3 4 5 6; do rm -f "$root"/etc/rc.d/rc$level.d/[SK]??"$2"; done
[ "$1" = --add ] || exit 0
for level in 0 1 2 3 4 5 6; do
	case $level in
	[345]) ln -s ../init.d/"$2" "$root/etc/rc.d/rc$level.d/S90$2" ;;
	*) ln -s ../init.d/"$2" "$root/etc/rc.d/rc$level.d/K10$2" ;;
	esac
done
`

// redHat makes a host as Red Hat's are, with a service whose links the administrator has changed.
func redHat(t *testing.T) (System, string) {
	t.Helper()
	root := t.TempDir()
	put := func(path, text string, mode fs.FileMode) {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("etc/init.d/x", fmt.Sprintf(daemon, root), 0o755)
	put("sbin/chkconfig", fmt.Sprintf(chkconfig, root), 0o755)
	put("opt/tracer", fmt.Sprintf(tracer, root), 0o755)
	put("state", "", 0o644)
	for level := range 7 {
		put(fmt.Sprintf("etc/rc.d/rc%d.d/README", level), "", 0o644)
		name := "K42x"
		if level == 3 || level == 5 {
			name = "S77x"
		}
		if err := os.Symlink("../init.d/x", filepath.Join(root, fmt.Sprintf("etc/rc.d/rc%d.d", level), name)); err != nil {
			t.Fatal(err)
		}
	}
	return System{Root: root, Tracer: "/opt/tracer"}, root
}

func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, "etc"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target, _ := os.Readlink(path)
		files[strings.TrimPrefix(path, root)] = entry.Type().String() + target
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTakesOverAndGivesBack(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the script asks for root")
	}
	s, root := redHat(t)
	before := tree(t, root)
	plan, err := s.Plan(t.Context(), "x", service.Wrap)
	if err != nil {
		t.Fatal(err)
	}
	// In this test the paths in the script must be below the host's root.
	script := s.script("cws-wrap-x")
	rooted := func() {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		replaced := strings.NewReplacer("=/etc/init.d/x", "="+root+"/etc/init.d/x", "=/opt/tracer", "="+root+"/opt/tracer").Replace(string(text))
		if err := os.WriteFile(script, []byte(replaced), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.remember("x", service.Wrap); err != nil {
		t.Fatal(err)
	}
	if err := service.Write(service.File{Path: script, Text: plan.Files[0].Text, Mode: 0o755}); err != nil {
		t.Fatal(err)
	}
	rooted()
	if err := s.takeOver(t.Context(), "x", service.Wrap); err != nil {
		t.Fatal(err)
	}
	links, err := s.links("cws-wrap-x")
	if err != nil {
		t.Fatal(err)
	}
	if got := levels(links, true); strings.Join(got, "") != "35" || filepath.Base(links[3].Path) != "S77cws-wrap-x" {
		t.Errorf("it starts in %v, as %v", got, links)
	}
	if left, _ := s.links("x"); len(left) > 0 {
		t.Errorf("the service keeps %v", left)
	}
	for verb, want := range map[string]int{
		"start": 0, "status": 0, "restart": 0, "reload": 0, "force-reload": 0, "try-restart": 0, "condrestart": 0, "nonsense": 2, "": 2,
	} {
		if got := status(s, verb); got != want {
			t.Errorf("%q: exit status %d, want %d", verb, got, want)
		}
	}
	if status(s, "stop") != 0 || status(s, "status") != 3 || status(s, "try-restart") != 0 || status(s, "status") != 3 {
		t.Error("stopped, it is not stopped")
	}
	calls, _ := os.ReadFile(filepath.Join(root, "calls"))
	if !strings.Contains(string(calls), "traced "+root+"/etc/init.d/x start") {
		t.Errorf("calls: %s", calls)
	}
	if err := s.Disable(t.Context(), "x", service.Wrap); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, tree(t, root)); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(filepath.Join(root, stateDir)); err == nil {
		t.Error("state is left")
	}
}

func status(s System, verb string) int {
	cmd := exec.CommandContext(context.Background(), s.script("cws-wrap-x"), verb)
	cmd.Run()
	return cmd.ProcessState.ExitCode()
}

// TestScriptsAreShell has the shells of old hosts read what is made, and a linter where there is one.
func TestScriptsAreShell(t *testing.T) {
	s, root := redHat(t)
	conf := filepath.Join(root, "etc/cws/own.conf")
	if err := os.MkdirAll(filepath.Dir(conf), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte("Command=/bin/own\nArguments='a b' \"it's $HOME\" ;x\nUser=daemon\nUMask=077\nEnvironment=\"A=b c\" D=e\nMatch=own\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]service.Mode{"x": service.Wrap, "own": service.Wrap, "x ": service.Attach} {
		name = strings.TrimSpace(name)
		text, err := s.text(name, mode)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "script")
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		read := 0
		for _, shell := range [][]string{{"dash", "-n"}, {"busybox", "ash", "-n"}, {"bash", "--posix", "-n"}, {"shellcheck", "-s", "sh"}} {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Logf("not read by %s, which is not there", shell[0])
				continue
			}
			read++
			if out, err := exec.Command(shell[0], append(shell[1:], file)...).CombinedOutput(); err != nil {
				t.Errorf("%s %s: %v: %s\n%s", mode, name, shell, out, text)
			}
		}
		if read == 0 {
			t.Error("no shell has read it")
		}
	}
}

func TestRefused(t *testing.T) {
	s, _ := redHat(t)
	for _, name := range []string{"", "nosuch", "../x", "a b", "cws-wrap-x", `a\x2db`, "x;y", "datadog-agent-sysprobe"} {
		if plan, err := s.Plan(t.Context(), name, service.Wrap); err == nil {
			t.Errorf("%q: planned as %v", name, plan.Files)
		}
	}
}
