package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ebpfless/ebpfless/"

// floors are the packages from the ground up. A package may import what stands on a floor below it or before it on its
// own, so the order within a line counts too. A package's subpackages stand on its place and may import each other.
var floors = [][]string{
	{"event", "syscalls"},
	{"ring", "record", "secl", "unit", "wire", "config"},
	{"ptrace", "seccomp", "selinux", "feature", "procfs", "host"},
	{"tracer", "probe", "service"},
	{"cli"},
	{"cmd"},
}

// meaningless are names that say nothing of what a package does, so that it attracts everything.
var meaningless = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "internal"}

// place finds a package in floors, as a number that grows upwards; false for one that isn't listed.
func place(pkg string) (int, bool) {
	root, _, _ := strings.Cut(pkg, "/")
	for height, floor := range floors {
		for i, name := range floor {
			if name == root {
				return height*100 + i, true
			}
		}
	}
	return 0, false
}

// allowed tells whether one package below src may import another. The commands and the commands' insides (cmd/*, cli/*)
// stand side by side: none imports its neighbour.
func allowed(from, to string) bool {
	above, known := place(from)
	below, listed := place(to)
	if !known || !listed {
		return false
	}
	if above != below {
		return below < above
	}
	root, _, _ := strings.Cut(from, "/")
	return root != "cli" && root != "cmd" || second(from) == second(to)
}

func second(pkg string) string {
	parts := strings.SplitN(pkg, "/", 3)
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func TestAllowedKnowsUpAndDown(t *testing.T) {
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"cmd/system-probe", "cli/probe", true},
		{"cli/probe", "cmd/system-probe", false},
		{"cli/probe", "cli/tracer", false},
		{"cli/probe", "cli/probe/output", true},
		{"tracer", "tracer/shared", true},
		{"tracer/guard", "wire", true},
		{"wire", "tracer", false},
		{"probe", "tracer", true},
		{"tracer", "probe", false},
		{"syscalls", "event", true},
		{"event", "syscalls", false},
		{"procfs", "unlisted", false},
		{"unlisted", "event", false},
	} {
		if got := allowed(c.from, c.to); got != c.want {
			t.Errorf("%s may import %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// TestImportsPointDown reads the sources instead of asking the go command, which sees one architecture only.
func TestImportsPointDown(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("../src", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		seen++
		checkImports(t, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Fatal("no sources found")
	}
}

func checkImports(t *testing.T, file string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	from := strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "../src/")
	if _, known := place(from); !known {
		t.Errorf("%s: package %s is on no floor; add it to floors if it belongs to the house", file, from)
		return
	}
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Error(err)
			continue
		}
		to, ours := strings.CutPrefix(name, module)
		if !ours {
			continue
		}
		if to == "init" && strings.HasPrefix(from, "service/") {
			continue // texts of init systems, which are embedded where they lie
		}
		to, inSource := strings.CutPrefix(to, "src/")
		if !inSource || !allowed(from, to) {
			t.Errorf("%s: %s imports %s, which does not lie below it", file, from, name)
		}
	}
}

func TestPackageNamesMeanSomething(t *testing.T) {
	for _, root := range []string{"../src", "../tests"} {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			for _, word := range meaningless {
				if entry.Name() == word {
					t.Errorf("%s: name it after what it does", name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestLogicIsNotInMain holds the commands to handing over to src/cli, by a main of one statement.
func TestLogicIsNotInMain(t *testing.T) {
	files, err := filepath.Glob("../src/cmd/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			if _, isImport := declaration.(*ast.GenDecl); isImport {
				continue
			}
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Name.Name != "main" || len(f.Body.List) != 1 {
				t.Errorf("%s: more than a main of one statement; logic belongs into src/cli, where tests can import it", file)
			}
		}
	}
}
