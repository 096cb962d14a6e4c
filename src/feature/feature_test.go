package feature

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/seccomp"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "subject" {
		Subject(os.Stdin, os.Stdout)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestLook(t *testing.T) {
	findings, err := Look([]string{"/proc/self/exe", "subject"})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, f := range findings {
		t.Logf("%+v", f)
		there[f.Name] = f.There
		if f.Name == "" || f.Since == "" || f.Without == "" {
			t.Errorf("incomplete: %+v", f)
		}
	}
	if there["seccomp filter"] != (seccomp.Supported() == nil) {
		t.Error("look and seccomp differ about filters")
	}
	// No kernel has the newer without the older.
	for _, order := range [][2]string{
		{"close_range(2)", "openat2(2)"}, {"openat2(2)", "clone3(2)"}, {"clone3(2)", "statx(2)"}, {"statx(2)", "execveat(2)"},
		{"execveat(2)", "memfd_create(2)"}, {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", "seccomp(2)"}, {"seccomp(2)", "seccomp filter"},
		{"PTRACE_GET_SYSCALL_INFO", "seccomp stop after the entry stop"},
	} {
		if there[order[0]] && !there[order[1]] {
			t.Errorf("%s is there and %s is not", order[0], order[1])
		}
	}
}

func TestWhoCanNotBeTracedIsSaid(t *testing.T) {
	if findings, err := Look([]string{"/nonexistent"}); err == nil || len(findings) == 0 {
		t.Errorf("%d findings, error %v", len(findings), err)
	}
}

func TestReportSaysWhatIsMissing(t *testing.T) {
	_, missing := Report([]string{"/nonexistent"})
	if !slices.ContainsFunc(missing, func(line string) bool { return strings.Contains(line, "/nonexistent") }) {
		t.Errorf("missing: %q", missing)
	}
}

func TestMissingCallsAreFound(t *testing.T) {
	missing := attempt{call: 100_000}
	if missing.try().There {
		t.Error("call 100,000 is there")
	}
}
