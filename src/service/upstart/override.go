package upstart

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
)

// before is the administrator's own override, without what we have added to it.
func (s System) before(name string) (string, error) {
	text, err := os.ReadFile(s.path(s.override(name)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return remove(string(text)), nil
}

// What we add to an override stands between two lines, so that it can be cut out exactly.
const (
	begin  = "# cws-wrap begins; made by cwsctl, which takes it away again: cwsctl unwrap NAME\n"
	joined = "# cws-wrap begins on a line that was not ended; made by cwsctl: cwsctl unwrap NAME\n"
	end    = "# cws-wrap ends\n"
)

func add(before, ours string) string {
	if before != "" && !strings.HasSuffix(before, "\n") {
		return before + "\n" + joined + ours + end
	}
	return before + begin + ours + end
}

// remove is the reverse of add.
func remove(text string) string {
	if i := strings.Index(text, "\n"+joined); i >= 0 {
		return text[:i]
	}
	if i := strings.Index(text, begin); i >= 0 {
		return text[:i]
	}
	return text
}

// wrapped gives the stanzas that put a job's main process behind the tracer.
func (s System) wrapped(name string, job unit.Job) (string, error) {
	if reason := obstacle(job); reason != "" {
		return "", &service.Obstacle{Reason: reason, Hint: "see " + jobs + "/" + name + ".conf"}
	}
	expect, words := "", []string{"exec"}
	if forks := forks[job.Expect]; forks != "" {
		expect, words = "expect stop\n", append(words, ctl, "hook", "supervise", "--forks", forks, "--")
	}
	line := strings.Join(append(words, s.tracer()...), " ")
	switch {
	case job.Script != "": // upstart runs scripts by sh -e
		return expect + "script\n" + line + " /bin/sh -e -c " + unit.QuoteShell(job.Script) + "\nend script\n", nil
	case strings.ContainsAny(job.Exec, ";|&"):
		return expect + "script\n" + line + " /bin/sh -e -c " + unit.QuoteShell("exec "+job.Exec) + "\nend script\n", nil
	}
	return expect + line + " " + job.Exec + "\n", nil
}

// forks are the jobs whose main process upstart itself would trace, to count its forks; a process has one tracer. Instead a
// supervisor stays as the main process, which stops itself when the daemon is there (supervise.Supervisor).
var forks = map[string]string{"fork": "1", "daemon": "2"}

// obstacle is why a job can't be wrapped, or nothing.
func obstacle(job unit.Job) string {
	switch {
	case job.Exec == "" && job.Script == "":
		return "it has neither exec nor script: it starts no process"
	case strings.Contains(job.Exec+job.Script, "cws-instrumentation"):
		return "it is behind a tracer already"
	case job.Chroot != "":
		return "chroot " + job.Chroot + " hides the tracer"
	case job.AppArmor != "":
		return "apparmor switch is made for the job's program and would confine the tracer"
	}
	return ""
}

// tracer is what stands before a command, for the shell that upstart may call. A boot must not stand still for a probe that
// doesn't come.
func (s System) tracer() []string {
	words := []string{unit.QuoteShell(s.Tracer), "trace"}
	if !s.Original {
		words = append(words, "--wait", "10s")
	}
	if s.ProbeAddr != "" {
		words = append(words, "--probe-addr", unit.QuoteShell(s.ProbeAddr))
	}
	return append(words, "--")
}

// following is the job that attaches for as long as another one runs.
func following(name string) string {
	return fmt.Sprintf(`# Made by cwsctl: keeps tracers attached to the processes of %[1]s. "cwsctl unwrap %[1]s" takes it away.
description "runtime threat detection for %[1]s (attached)"
start on started %[1]s
stop on stopping %[1]s
respawn
exec %[2]s hook attach -- %[1]s
`, name, ctl)
}
