package tracer

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/spf13/cobra"
)

// drainLimit is how long a service's stop may be held up by its tracer, which leaves within some milliseconds where nothing that it
// traces lives on.
const drainLimit = 500 * time.Millisecond

// drainCommand waits until the tracers in its own control group have sent what they have and left. systemd runs it after a service's
// main process has ended, and kills the control group afterwards (KillMode=mixed).
func drainCommand() *cobra.Command {
	return &cobra.Command{Use: "drain", Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		for deadline := time.Now().Add(drainLimit); tracersBeside() && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		return nil
	}}
}

// tracersBeside tells whether there are other tracers in the own control group.
func tracersBeside() bool {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return false
	}
	for _, pid := range procfs.Numbers("/proc") {
		if pid == os.Getpid() || !host.Part("/proc", pid) {
			continue
		}
		if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid)); err == nil && bytes.Equal(group, own) {
			return true
		}
	}
	return false
}
