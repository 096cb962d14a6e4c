package tests

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the commands as users do: script/NAME.txtar, with the programs in PATH that the script's name begins
// with. Beside testscript's own words there is
//
//	status N PROGRAM [ARG...]    run it, and want exit status N; stdout and stderr can be looked at afterwards
func TestScripts(t *testing.T) {
	for script, name := range map[string]string{
		"tracer": "cws-instrumentation",
		"probe":  "system-probe",
		"ctl":    "cwsctl",
	} {
		t.Run(script, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join("script", script+"-*.txtar"))
			if err != nil || len(files) == 0 {
				t.Skip("no scripts for " + name + " yet")
			}
			program(t, "cws-instrumentation") // what a probe is talked to by
			dir := filepath.Dir(program(t, name))
			testscript.Run(t, testscript.Params{
				Files: files,
				Setup: func(env *testscript.Env) error {
					env.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
					return nil
				},
				Condition: func(condition string) (bool, error) {
					if condition == "root" {
						return os.Geteuid() == 0, nil
					}
					return false, errors.New("unknown condition " + strconv.Quote(condition))
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": wantStatus},
			})
		})
	}
}

func wantStatus(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}
