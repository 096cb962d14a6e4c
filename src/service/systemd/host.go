// Package systemd protects services of systemd: it reads their units as systemd does, works out the drop-in that puts a tracer
// before them, and is the generator and the programs of the instances cws-wrap@ and cws-attach@. Messages for people and exit
// codes are left to the command line.
package systemd

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Host is a machine with systemd.
type Host struct {
	// Root stands before every path; tests put a folder there.
	Root string
	// Version is systemd's own, 208 and up.
	Version int
	// Tracer is the path of cws-instrumentation.
	Tracer string
	// Original says that the tracer is Datadog's, which knows fewer flags.
	Original bool
	// Force has services wrapped that nobody can enable, without a word of their settings.
	Force bool
	// ProbeAddr is where tracers find the probe; empty for their own default.
	ProbeAddr string
}

// DefaultTracer is where packages put the tracer.
const DefaultTracer = "/opt/datadog-agent/embedded/bin/cws-instrumentation"

// Probe is the unit of the probe, ours and the original's.
const Probe = "datadog-agent-sysprobe"

// Instances are the templates whose instances name services.
const (
	wrapPrefix   = "cws-wrap@"
	attachPrefix = "cws-attach@"
)

func (h Host) path(elements ...string) string {
	return filepath.Join(append([]string{h.Root}, elements...)...)
}

var version = regexp.MustCompile(`^systemd (\d+)`)

// Original tells whether a tracer is another than ours.
func Original(tracer string) bool {
	info, err := buildinfo.ReadFile(tracer)
	return err != nil || !strings.HasSuffix(info.Main.Path, "/ebpfless")
}

// Version asks systemctl, which needs no manager for that. The library's file name, which holds the number too, is not the
// same on all distributions.
func Version() (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "systemctl", "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("ask systemctl for its version: %w", err)
	}
	match := version.FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("ask systemctl for its version: it says %.40q", out)
	}
	return strconv.Atoi(string(match[1]))
}
