package tracer

import (
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"

	"github.com/ebpfless/ebpfless/src/tracer/guard"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// attach makes this process the guardian of a loop that attaches to running processes.
func attach(f *flags) error {
	pids, err := processes(f.pids)
	if err != nil {
		return err
	}
	if len(pids) > shared.MaxPIDs {
		return refuse("use several tracers", "%d processes are more than the %d that one tracer takes", len(pids), shared.MaxPIDs)
	}
	if f.pidPerTracer > 0 && len(pids) > f.pidPerTracer {
		return share(f, pids)
	}
	memory, file, err := prepare()
	if err != nil {
		return err
	}
	c := f.config()
	c.Seccomp = f.install
	if err := c.Store(memory); err != nil {
		return err
	}
	for i, pid := range pids {
		memory.Control.PIDs[i] = int32(pid)
	}
	memory.Control.PIDCount = int32(len(pids))
	g := &guard.Guard{
		Memory: memory, File: file, Config: c, Command: []string{self(), "loop"},
		Log: logger(c), Settled: func() {},
	}
	if c.Verbose {
		sayFeatures(g.Log)
	}
	if err := g.Attach(); err != nil {
		return refuse("nothing was attached to; the processes run as before", "%v", err)
	}
	return nil
}

// share starts a tracer of its own for each group of processes, and passes signals on to all of them.
func share(f *flags, pids []int) error {
	var children []*exec.Cmd
	for group := range slices.Chunk(pids, f.pidPerTracer) {
		child := exec.Command(self(), append(f.shared(), flagsOf(group)...)...)
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return err
		}
		children = append(children, child)
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGQUIT)
	go func() {
		for s := range signals {
			for _, child := range children {
				child.Process.Signal(s)
			}
		}
	}()
	var failed error
	for _, child := range children {
		if child.Wait() != nil {
			failed = exitStatus(child.ProcessState.ExitCode())
		}
	}
	return failed
}

// shared are the flags that every one of several tracers gets.
func (f *flags) shared() []string {
	return []string{
		"trace", "--probe-addr", f.probeAddr, "--wait", f.wait.String(),
		"--async=" + strconv.FormatBool(f.async), "--verbose=" + strconv.FormatBool(f.verbose),
		"--debug=" + strconv.FormatBool(f.debug), "--install-filter=" + strconv.FormatBool(f.install), "--disable-stats=" + strconv.FormatBool(f.noStats),
	}
}

func flagsOf(pids []int) []string {
	var list []string
	for _, pid := range pids {
		list = append(list, "--pid", strconv.Itoa(pid))
	}
	return list
}
