// Package follow keeps tracers attached to all processes of a service, whichever init system it belongs to. Which processes
// these are, it is told.
package follow

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// ErrOver means that the service has ended and is not coming back by itself.
var ErrOver = errors.New("the service has ended")

// Follower attaches a tracer to each process that no tracer follows yet. Children of traced processes are traced by nature;
// what is left are the processes that an init system starts anew.
type Follower struct {
	// Processes lists the processes of the service; ErrOver ends the following.
	Processes func() ([]int, error)
	// Tracer is the program with its flags, --pid excepted.
	Tracer []string
	// Every is how often the processes are listed.
	Every time.Duration
	// Ready is called once, when all processes that there are at the beginning are traced.
	Ready func(processes int)
	// Say gets what the administrator should know.
	Say func(format string, args ...any)

	known   map[int]verdict
	tracers map[*exec.Cmd]chan error
	ready   bool
}

// verdict is what was found out about a process: whether a tracer is on its way to it, and when to look again.
type verdict struct {
	sent  bool
	again time.Time
}

const (
	// attaching is the time that a tracer gets, its wait for the probe included.
	attaching = 15 * time.Second
	// pause is how long a process is left alone that could not be attached to.
	pause = time.Minute
)

// Run follows until the service is over or ctx ends; then it detaches.
func (f *Follower) Run(ctx context.Context) error {
	f.known, f.tracers = map[int]verdict{}, map[*exec.Cmd]chan error{}
	defer f.detach()
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		pids, err := f.Processes()
		if errors.Is(err, ErrOver) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := f.step(pids); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// step looks at the processes once.
func (f *Follower) step(pids []int) error {
	f.collect()
	now := time.Now()
	var fresh []int
	waiting := false
	current := make(map[int]verdict, len(pids))
	for _, pid := range pids {
		v, seen := f.known[pid]
		if !seen || v.sent || now.After(v.again) {
			v = f.judge(pid, v, seen, now)
			if v.again.IsZero() {
				fresh = append(fresh, pid)
				v = verdict{sent: true, again: now.Add(attaching)}
			}
		}
		waiting = waiting || v.sent
		current[pid] = v
	}
	f.known = current
	if len(fresh) > 0 {
		if err := f.attach(fresh); err != nil {
			return err
		}
	}
	if !waiting && !f.ready {
		f.ready = true
		f.Ready(len(pids))
	}
	return nil
}

// never is for what need not be looked at again.
var never = time.Unix(1<<40, 0)

// judge decides about one process; a verdict without a time asks for a tracer.
func (f *Follower) judge(pid int, v verdict, seen bool, now time.Time) verdict {
	var reader procfs.Reader
	var status procfs.Status
	switch {
	case reader.Status(pid, &status) != 0: // gone
		return verdict{again: never}
	case status.TracerPID != 0 && !host.Holds("/proc", status.TracerPID), host.Part("/proc", pid), host.Holds("/proc", pid): // of a tracer beside the application
		return verdict{again: never}
	case v.sent && now.Before(v.again):
		return v
	case v.sent:
		f.Say("process %d could not be attached to; the next try is in %v", pid, pause)
		return verdict{again: now.Add(pause)}
	}
	return verdict{}
}

// attach starts a tracer for some processes.
func (f *Follower) attach(pids []int) error {
	args := f.Tracer[1:len(f.Tracer):len(f.Tracer)]
	for _, pid := range pids {
		args = append(args, "--pid", strconv.Itoa(pid))
	}
	tracer := exec.Command(f.Tracer[0], args...)
	tracer.Stdout, tracer.Stderr = os.Stdout, os.Stderr
	if err := tracer.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- tracer.Wait() }()
	f.tracers[tracer] = ended
	return nil
}

// collect forgets tracers that have ended, as they do when their processes have.
func (f *Follower) collect() {
	for tracer, ended := range f.tracers {
		select {
		case <-ended:
			delete(f.tracers, tracer)
		default:
		}
	}
}

// detach asks the tracers to leave and waits for them.
func (f *Follower) detach() {
	for tracer := range f.tracers {
		tracer.Process.Signal(unix.SIGTERM)
	}
	for _, ended := range f.tracers {
		<-ended
	}
}
