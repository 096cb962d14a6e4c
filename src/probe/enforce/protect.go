package enforce

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/secl"
)

// ownPrograms are those that the host is watched with: the original's paths and ours.
var ownPrograms = []string{
	"/opt/datadog-agent/bin/agent/agent", "/opt/datadog-agent/bin/datadog-cluster-agent",
	"/opt/datadog-agent/embedded/bin/*", "/opt/datadog-packages/**",
}

// protection knows the processes that must live.
type protection struct {
	mount   string
	proc    procfs.Reader
	tracers *host.Tracers
	exclude []func(path string) bool
	looked  time.Time
	reasons map[int]string // of pids, and of their ancestors
}

// fresh is how long a look at all processes is believed.
const fresh = time.Second

func newProtection(mount string, exclude []string) (*protection, error) {
	p := &protection{mount: mount, proc: procfs.Reader{Mount: mount}, tracers: host.NewTracers(mount)}
	for _, glob := range append(ownPrograms[:len(ownPrograms):len(ownPrograms)], exclude...) {
		match, err := secl.Glob(glob)
		if err != nil {
			return nil, fmt.Errorf("exclude_binaries: %q: %w", glob, err)
		}
		p.exclude = append(p.exclude, match)
	}
	return p, nil
}

// check refuses victims of which one is protected.
func (p *protection) check(victims []Victim) error {
	if time.Since(p.looked) > fresh {
		p.look()
	}
	for _, v := range victims {
		if v.PID <= 1 {
			return fmt.Errorf("pid %d is never killed", v.PID)
		}
		if reason := p.reasons[v.PID]; reason != "" {
			return fmt.Errorf("pid %d is never killed: it is %s", v.PID, reason)
		}
		if reason := p.reason(v.PID); reason != "" { // it may have started since the last look
			return fmt.Errorf("pid %d is never killed: it is %s", v.PID, reason)
		}
	}
	return nil
}

// look goes through all processes: the ancestors of what is protected are protected, too.
func (p *protection) look() {
	p.looked, p.reasons = time.Now(), map[int]string{}
	for _, pid := range procfs.Numbers(p.mount) {
		reason := p.reason(pid)
		if reason == "" {
			continue
		}
		p.reasons[pid] = reason
		for parent, depth := p.parent(pid), 0; parent > 1 && depth < 256; parent, depth = p.parent(parent), depth+1 {
			if p.reasons[parent] == "" {
				p.reasons[parent] = fmt.Sprintf("an ancestor of pid %d, %s", pid, reason)
			}
		}
	}
}

// reason says what a process is that must live, empty for others.
func (p *protection) reason(pid int) string {
	if pid == os.Getpid() {
		return "the probe"
	}
	exe := p.mount + "/" + strconv.Itoa(pid) + "/exe"
	program, err := os.Readlink(exe)
	if err != nil {
		return ""
	}
	program = strings.TrimSuffix(program, " (deleted)") // replaced by an upgrade
	switch {
	case p.tracers.Is(pid):
		return "a tracer"
	case path.Base(program) == "sshd" && host.RootsAlone(exe) && p.listens(pid):
		return "the ssh server"
	}
	for _, match := range p.exclude {
		if match(program) {
			return program + ", which is protected"
		}
	}
	return ""
}

// listens tells the ssh server from its sessions: those are its children.
func (p *protection) listens(pid int) bool {
	parent, err := os.Readlink(p.mount + "/" + strconv.Itoa(p.parent(pid)) + "/exe")
	return err != nil || path.Base(strings.TrimSuffix(parent, " (deleted)")) != "sshd"
}

func (p *protection) parent(pid int) int {
	var s procfs.Status
	if p.proc.Status(pid, &s) != 0 {
		return 0
	}
	return s.PPID
}
