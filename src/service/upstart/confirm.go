package upstart

import (
	"context"
	"fmt"
	"os/exec"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
)

const (
	// grace is the time from the start of a job to that of its tracer, on a busy machine.
	grace = 2 * time.Second
	// longestWait is how long a tracer waits for the probe before its application starts.
	longestWait = 10 * time.Second
)

// confirm waits until a job that was started anew is traced. Upstart before 1.3 reads no overrides unless its distribution has taught
// it to, and starts the job as before. One that has ended already has nothing to confirm.
func confirm(ctx context.Context, name string) error {
	for _, limit := range []time.Duration{grace, longestWait + grace} {
		traced, tracers := until(ctx, name, limit)
		if traced {
			return nil
		}
		if !tracers {
			return fmt.Errorf("it starts, but untraced: this upstart reads no %s/%s.override (before 1.3), or the job's log tells why", jobs, name)
		}
	}
	return nil // it still waits for the probe, with its tracer beside
}

// until looks at a job until it is traced or over, or the time is, and tells whether there are tracers at all.
func until(ctx context.Context, name string, limit time.Duration) (traced, tracers bool) {
	for deadline := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		out, err := exec.CommandContext(ctx, "initctl", "status", name).Output()
		main := mainProcess(string(out))
		if err != nil || main == 0 {
			return true, false
		}
		traced, tracers = look(descendants(main))
		if traced || time.Now().After(deadline) {
			return traced, tracers
		}
	}
}

// look tells whether one of some processes is traced, tracers left out, and whether one is a tracer.
func look(pids []int) (traced, tracers bool) {
	var reader procfs.Reader
	for _, pid := range pids {
		var status procfs.Status
		switch {
		case host.Part("/proc", pid):
			tracers = true
		case reader.Status(pid, &status) == 0 && status.TracerPID != 0:
			traced = true
		}
	}
	return traced, tracers
}
