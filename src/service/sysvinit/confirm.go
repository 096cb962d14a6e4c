package sysvinit

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/service"
)

// grace is how long a daemon may take to come, and to be known to its script, once that has ended.
const grace = 2 * time.Second

// confirm looks whether a service that was started behind the tracer is traced: a tracer that can't trace lets its script run all the
// same. A service that has ended already has nothing to confirm, nor has one that left none of the processes that there were not
// before. The original's tracer tells nobody.
func (s System) confirm(ctx context.Context, name string, before []int) error {
	if s.Original {
		return nil
	}
	for deadline := time.Now().Add(grace); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		tracers, err := service.Tracers()
		if err != nil {
			return err
		}
		traced, err := s.processes(name, service.Wrap, tracers)
		if err != nil || len(traced) > 0 {
			return err
		}
	}
	made := ours(name, service.Wrap)
	if s.run(ctx, made, "status") != nil || !left(before) {
		return nil
	}
	return fmt.Errorf("it starts, but untraced: %s restart tells why", filepath.Join(scripts, made))
}

// kthreadd is the parent of all threads of the kernel.
const kthreadd = 2

// left tells whether there are other processes than before, leaving out the kernel's and tracers.
func left(before []int) bool {
	var reader procfs.Reader
	return slices.ContainsFunc(procfs.Numbers("/proc"), func(pid int) bool {
		var status procfs.Status
		return !slices.Contains(before, pid) && reader.Status(pid, &status) == 0 && status.PPID != kthreadd && !host.Part("/proc", pid)
	})
}
