package systemd

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/procfs"
)

// state is how a service stands.
type state struct {
	loaded, running, empty bool
	starting               bool // what it executes before its main program, which is not traced
	traced                 bool // a tracer lives beside its processes
	followed               bool // and follows one of them
}

func (k Hook) state(ctx context.Context, name string) (state, error) {
	shown, err := k.Manager.Show(ctx, name, "LoadState", "ActiveState", "SubState", "ControlGroup")
	if err != nil {
		return state{}, err
	}
	s := state{loaded: shown["LoadState"] == "loaded", starting: shown["SubState"] == "start-pre" || shown["SubState"] == "condition"}
	switch shown["ActiveState"] {
	case "active", "activating", "reloading", "refreshing":
		s.running = true
	}
	pids, err := Processes(shown["ControlGroup"])
	s.empty = len(pids) == 0
	for _, pid := range pids {
		s.look(pid)
	}
	return s, err
}

// look takes one of the service's processes into account.
func (s *state) look(pid int) {
	var reader procfs.Reader
	var status procfs.Status
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	switch {
	case err != nil:
	case strings.Contains(exe, "cws-instrumentation"): // which trace each other, too
		s.traced = true
	case reader.Status(pid, &status) == 0 && status.TracerPID != 0:
		s.followed = true
	}
}

// patience is how long a service may take for what it executes beforehand.
const patience = time.Minute

// settled waits until the main program of a service that starts has been executed.
func (k Hook) settled(ctx context.Context, name string) (state, error) {
	return k.until(ctx, name, patience, func(s state) bool { return !s.starting })
}

// grace is the time from the start of a service's first process to that of its tracer, on a busy machine.
const grace = 2 * time.Second

// confirm waits until a service that was started behind the tracer is traced. A tracer that can't trace lets its service run all the
// same, and says why in the service's own log. A service that has ended already has nothing to confirm.
func (k Hook) confirm(ctx context.Context, name string) error {
	settles := func(s state) bool { return s.followed || !s.running || s.empty }
	for _, limit := range []time.Duration{grace, longestWait + grace} {
		s, err := k.until(ctx, name, limit, settles)
		switch {
		case err != nil:
			return err
		case settles(s):
			return nil
		case !s.traced:
			return fmt.Errorf("it starts, but untraced: journalctl -u %s tells why", name)
		}
	}
	return nil // it still waits for the probe, with its tracer beside
}

// until looks at a service until it is as wanted, or the time is over.
func (k Hook) until(ctx context.Context, name string, limit time.Duration, wanted func(state) bool) (state, error) {
	for deadline := time.Now().Add(limit); ; {
		s, err := k.state(ctx, name)
		if err != nil || wanted(s) || time.Now().After(deadline) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
