package unit

import (
	"regexp"
	"strings"
)

// Job is what an upstart job says about its main process (init(5) of upstart).
type Job struct {
	// Exec is the command of an exec stanza, Script the body of a script stanza; the later of both counts.
	Exec, Script string
	// Expect is fork, daemon, stop, none or empty.
	Expect string
	// Chroot is the folder that becomes its root, AppArmor the profile that it is confined by; empty where there is none.
	Chroot, AppArmor string
	// Instances says that it can run several times, each by another name.
	Instances bool
}

var (
	scriptBegins = regexp.MustCompile(`^\s*script\s*(?:#.*)?$`)
	scriptEnds   = regexp.MustCompile(`^\s*end\s+script\s*(?:#.*)?$`)
	otherBegins  = regexp.MustCompile(`^\s*(?:pre-start|post-start|pre-stop|post-stop)\s+script\s*(?:#.*)?$`)
)

// ParseJob reads a job file, or several in the order in which they apply.
func ParseJob(text string) Job {
	var job Job
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if mine := scriptBegins.MatchString(lines[i]); mine || otherBegins.MatchString(lines[i]) {
			begin := i + 1
			for i++; i < len(lines) && !scriptEnds.MatchString(lines[i]); i++ {
			}
			if mine {
				job.Exec, job.Script = "", strings.Join(lines[begin:min(i, len(lines))], "\n")
			}
			continue
		}
		line := strings.TrimSpace(lines[i])
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + strings.TrimSpace(lines[i])
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "exec":
			job.Exec, job.Script = strings.TrimSpace(strings.TrimPrefix(line, "exec")), ""
		case "expect":
			job.Expect = words[1]
		case "chroot":
			job.Chroot = words[1]
		case "instance":
			job.Instances = true
		case "apparmor":
			if words[1] == "switch" && len(words) > 2 {
				job.AppArmor = words[2]
			}
		}
	}
	return job
}
