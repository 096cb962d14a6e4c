package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	s, err := parse("x.conf", "# comment\n[Service]\nCommand = /bin/x\nArguments=a 'b c'\nUser=web\nEnvironment=A=1\nEnvironment=B=2\n")
	if err != nil {
		t.Fatal(err)
	}
	if s.Command != "/bin/x" || s.Arguments != "a 'b c'" || len(s.Others) != 3 || s.Others[0] != (Setting{"User", "web"}) {
		t.Errorf("%+v", s)
	}
	if s, err := parse("x.conf", "InstallFilter=yes\n"); err != nil || !s.InstallFilter {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := parse("x.conf", "Force=yes\n"); err != nil || !s.Force || s.InstallFilter {
		t.Errorf("%+v, %v", s, err)
	}
	for text, want := range map[string]string{
		"":                                    "Command=, Match=, InstallFilter=yes or Force=yes is missing",
		"Command=x":                           "full path",
		"Command=-/bin/x":                     "full path",
		"Command=/bin/x ; /bin/y":             "full path",
		"Command=/bin/x \"":                   "not closed",
		"Command=/bin/x\nArguments=a ; b":     "can't be read",
		"Command=/bin/x\nArguments='":         "x.conf:2",
		"Command=/bin/x\nExecStart=/bin/y":    "x.conf:2: ExecStart= is not known",
		"InstallFilter=no\n":                  "is missing",
		"InstallFilter=perhaps\n":             "neither yes nor no",
		"Command=/bin/x\nnonsense":            "x.conf:2: \"nonsense\" is no KEY=VALUE",
		"Command=/bin/x\nCapabilities=[evil]": "is not known",
	} {
		if s, err := parse("x.conf", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want %s", text, s, err, want)
		}
	}
}

func TestReadTrustsOnlyTheOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.conf")
	if err := os.WriteFile(path, []byte("Match=x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil {
		t.Error("a file that everybody may write is read")
	}
}
