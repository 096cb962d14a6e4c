package host

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// rooted makes a file system of files, and of links where the text begins with an arrow.
func rooted(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if to, link := strings.CutPrefix(text, "-> "); link {
			err = os.Symlink(to, path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func silent() *logrus.Entry {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return logrus.NewEntry(log)
}

var debian = map[string]string{
	"bin":                                "-> usr/bin",
	"usr/bin/ls":                         "ls",
	"var/lib/dpkg/status":                "Package: coreutils\nStatus: install ok installed\nArchitecture: amd64\nVersion: 9.1-1\nDescription: tools\n Package: none\n\nPackage: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nSource: glibc (1:2.36-9+deb12u4)\nVersion: 2.36-9\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n",
	"var/lib/dpkg/info/coreutils.list":   "/.\n/bin\n/bin/ls\n/usr\n/usr/share\n/usr/share/doc\n",
	"var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib\n/lib/libc.so\n",
	"var/lib/dpkg/info/gone.list":        "/etc/gone.conf\n",
}

func TestFilesAreFoundInDpkgsDatabase(t *testing.T) {
	root := rooted(t, debian)
	p := NewPackages(root, silent())
	if p.Of("/usr/bin/ls", 0) != nil {
		t.Error("something is known before the databases are read")
	}
	p.Load()
	coreutils := &Package{Name: "coreutils", Version: "9.1", Release: "1", SourceVersion: "9.1", SourceRelease: "1"}
	libc := &Package{Name: "libc6", Version: "2.36", Release: "9", SourceVersion: "2.36", SourceRelease: "9+deb12u4", SourceEpoch: 1}
	for path, want := range map[string]*Package{
		"/usr/bin/ls": coreutils, "/lib/libc.so": libc, "/etc/gone.conf": nil, "/usr": nil, "/usr/bin/own": nil, "": nil, "memfd:x": nil,
	} {
		if diff := cmp.Diff(want, p.Of(path, 0)); diff != "" {
			t.Errorf("%q: %s", path, diff)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(root, "usr/bin/ls"), &st); err != nil {
		t.Fatal(err)
	}
	if p.Of("/usr/bin/ls", st.Ino) == nil || p.Of("/usr/bin/ls", st.Ino+1) != nil {
		t.Error("a file of the same path in another place is taken for the package's")
	}
}

func TestPackagesThatChangeAreReadAgain(t *testing.T) {
	root := rooted(t, debian)
	p := NewPackages(root, silent())
	p.Load()
	if !p.fresh() {
		t.Fatal("what was just read is taken for old")
	}
	status := filepath.Join(root, "var/lib/dpkg/status")
	if err := os.WriteFile(status, []byte("Package: other\nStatus: install ok installed\nVersion: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p.fresh() {
		t.Error("a change is not seen")
	}
	done := make(chan struct{})
	defer close(done)
	go p.Watch(done)
	for end := time.Now().Add(20 * time.Second); p.Of("/usr/bin/ls", 0) != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the change is not read")
		}
	}
}

func TestWhatRpmSaysIsRead(t *testing.T) {
	x := newPackageIndex()
	text := "=bash\t(none)\t4.2.46\t34.el7\tbash-4.2.46-34.el7.src.rpm\n/bin/bash\n/usr/bin/bashbug-64\n" +
		"=gpg-pubkey\t(none)\tf4a80eb5\t53a7ff4b\t(none)\n=bind-libs\t32\t9.11\t1\tbind-9.11-1.src.rpm\n/usr/lib64\n/usr/lib64/libdns.so\n"
	if err := parseRPM(strings.NewReader(text), map[string]string{"bin": "usr/bin"}, x.add); err != nil {
		t.Fatal(err)
	}
	x.finish()
	for path, want := range map[string]*Package{
		"/usr/bin/bash":        {Name: "bash", Version: "4.2.46", Release: "34.el7", SourceVersion: "4.2.46", SourceRelease: "34.el7"},
		"/usr/lib64/libdns.so": {Name: "bind-libs", Version: "9.11", Release: "1", SourceVersion: "9.11", SourceRelease: "1", Epoch: 32, SourceEpoch: 32},
		"/usr/lib64":           nil,
	} {
		if diff := cmp.Diff(want, x.find(path)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	if err := parseRPM(strings.NewReader("=bash\n"), nil, x.add); err == nil {
		t.Error("a line without versions is accepted")
	}
}

// What dpkg itself says of some programs of this machine.
func TestDpkgAgrees(t *testing.T) {
	programs, _ := filepath.Glob("/usr/bin/[a-f]*")
	if _, err := exec.LookPath("dpkg-query"); err != nil || len(programs) == 0 {
		t.Skip("SKIPPED: no dpkg here")
	}
	p := NewPackages("", silent())
	p.Load()
	agreed := 0
	for _, path := range programs[:min(40, len(programs))] {
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		want := ""
		for _, name := range []string{path, strings.TrimPrefix(path, "/usr")} {
			if out, err := exec.Command("dpkg-query", "-S", name).Output(); err == nil && want == "" {
				want, _, _ = strings.Cut(string(out), ":")
			}
		}
		if strings.HasPrefix(want, "diversion by") {
			continue
		}
		got := ""
		if found := p.Of(path, 0); found != nil {
			got = found.Name
		}
		if got != want {
			t.Errorf("%s: %q, dpkg says %q", path, got, want)
		}
		agreed++
	}
	if agreed == 0 {
		t.Error("nothing was compared")
	}
}

func BenchmarkPackagesLoad(b *testing.B) {
	p := NewPackages("", silent())
	for b.Loop() {
		p.Load()
	}
	if x := p.index.Load(); len(x.files) > 0 {
		b.ReportMetric(float64(len(x.files)), "files")
	}
}

func BenchmarkPackageOf(b *testing.B) {
	p := NewPackages("", silent())
	p.Load()
	for b.Loop() {
		p.Of("/usr/bin/not-there", 1)
	}
}
