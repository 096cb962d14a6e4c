// Package probe takes what tracers report, keeps the tree of processes, and says which rules an event hits; connections in,
// detections out. How detections look on paper or screen is left to sinks, the rule language to secl.
package probe

import (
	"path"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

// Process is one program that a process runs or ran. It is written only by the tree; what is forked from it shares its
// Program.
type Process struct {
	PID      uint32
	PPID     uint32
	NSID     uint64
	Parent   *Process // who forked it, or what ran in it before it executed something else; nil at the root
	Program  *Program
	Owner    Credentials
	Caps     event.Caps
	ForkTime uint64 // nanoseconds since the epoch; 0: not seen
	ExecTime uint64
	ExitTime uint64
	Executed bool // its program was executed in it, not inherited
	Traced   bool // a tracer reports it
	Recalled bool // it ran before the probe did, and no rule was asked

	Variables *secl.Store // what set actions have set on it; nil for none

	ContainerID      string
	ContainerCreated uint64 // nanoseconds since the epoch
	CGroupID         string
}

// Program is what an exec brings.
type Program struct {
	File                         event.File
	Comm                         string // name of the executable, at most 16 bytes
	TTY                          string
	Args                         []string // argv, argv[0] included
	Text                         string   // arguments without argv[0], joined by blanks
	Flags, Options               []string // as rules see the arguments
	Envs                         []string // names, and of some the values
	Envp                         []string // as reported: with the values that are
	AppletNames, AppletPaths     []string // of BusyBox: what it runs as
	ArgsTruncated, EnvsTruncated bool
}

// Credentials are the ids that a process acts with.
type Credentials struct {
	event.Credentials
	FSUID, FSGID    uint32
	FSUser, FSGroup string
}

var unknownProgram = &Program{}

// commLength is where the original cuts names.
const commLength = 16

// newProgram describes what an exec has started. valued tells of which variables of its environment rules and detections get
// the value: those of others may be secrets.
func newProgram(e *event.Event, valued func(name string) bool) *Program {
	p := &Program{
		File: e.File, TTY: e.Exec.TTY, Args: e.Exec.Args, Envp: e.Exec.Envs,
		ArgsTruncated: e.Exec.ArgsTruncated, EnvsTruncated: e.Exec.EnvsTruncated,
	}
	p.Comm = nameOf(&p.File)
	p.Comm = p.Comm[:min(len(p.Comm), commLength)]
	if len(p.Args) > 1 {
		p.Text = strings.Join(p.Args[1:], " ")
		p.Flags, p.Options = flagsOf(p.Args[1:]), optionsOf(p.Args[1:])
	}
	if applet := appletOf(p); applet != "" {
		p.AppletNames, p.AppletPaths = []string{applet}, []string{"/bin/" + applet, "/usr/bin/" + applet}
	}
	for _, entry := range p.Envp {
		name, _, _ := strings.Cut(entry, "=")
		if valued(name) {
			name = entry
		}
		p.Envs = append(p.Envs, name)
	}
	return p
}

// appletOf is the program that BusyBox runs as, which is what argv[0] names, or its first argument. Another file of that name
// could claim to be anything, so it must be the system's own.
func appletOf(p *Program) string {
	dir, name := path.Split(p.File.Path)
	if name != "busybox" || dir != "/bin/" && dir != "/usr/bin/" || p.File.UID != 0 || p.File.Mode&0o022 != 0 || len(p.Args) == 0 {
		return ""
	}
	applet := path.Base(strings.TrimPrefix(p.Args[0], "-")) // of login shells
	if applet == name && len(p.Args) > 1 {
		applet = p.Args[1]
	}
	if applet == name || strings.HasPrefix(applet, "-") || strings.Contains(applet, "/") {
		return ""
	}
	return applet
}

// nameOf is the last element of a path; an anonymous file has a name and no path.
func nameOf(f *event.File) string {
	if f.Path == "" {
		return ""
	}
	if f.Path[0] != '/' {
		return f.Path
	}
	return path.Base(f.Path)
}

// pathOf is the path of a file that has one.
func pathOf(f *event.File) string {
	if f.Path != "" && f.Path[0] != '/' {
		return ""
	}
	return f.Path
}

// Created is when the process began, in nanoseconds since the epoch.
func (p *Process) Created() uint64 {
	if p.ExecTime != 0 {
		return p.ExecTime
	}
	return p.ForkTime
}

// flagsOf is args_flags of the rule language: the letters of "-ln" and the words of "-ln" and "--version".
func flagsOf(args []string) []string {
	var flags []string
	for _, arg := range args {
		if len(arg) < 2 || arg[0] != '-' {
			continue
		}
		name := arg[1:]
		long := name[0] == '-'
		if long {
			name = name[1:]
		}
		if !long && alphanumeric(name) {
			for _, letter := range name {
				flags = append(flags, string(letter))
			}
		}
		if len(name) > 1 && !strings.Contains(name, "=") {
			flags = append(flags, name)
		}
	}
	return flags
}

// optionsOf is args_options of the rule language: "name=value", also of "-T 8".
func optionsOf(args []string) []string {
	var options []string
	for i := 0; i < len(args); i++ {
		name := strings.TrimPrefix(strings.TrimPrefix(args[i], "-"), "-")
		if len(name) == len(args[i]) || name == "" || !alphanumeric(name[:1]) {
			continue
		}
		if strings.Contains(name, "=") {
			options = append(options, name)
		} else if i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			options = append(options, name+"="+args[i+1])
			i++
		}
	}
	return options
}

func alphanumeric(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}
