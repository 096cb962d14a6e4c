package tracer

import (
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"syscall"

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
	groups := f.groups(pids)
	if len(groups) > 1 {
		return share(f, groups)
	}
	holder, pids := groups[0].holder, groups[0].pids
	memory, file, err := prepareFor(holder)
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
		Memory: memory, File: file, Config: c, Command: loop(),
		Inherit: holder != 0, Log: logger(c), Settled: func() {},
	}
	if c.Verbose {
		sayFeatures(g.Log)
	}
	if err := g.Attach(); err != nil {
		return refuse("nothing was attached to; the processes run as before", "%v", err)
	}
	return nil
}

// group is what one tracer attaches to.
type group struct {
	holder int // whose place it takes; 0: nobody's
	pids   []int
}

// groups divides processes among tracers: one takes the place of one holder.
func (f *flags) groups(pids []int) []group {
	var free []int
	held := map[int][]int{}
	for _, pid := range pids {
		if holder := guard.HolderOf(pid); holder != 0 {
			held[holder] = append(held[holder], pid)
		} else {
			free = append(free, pid)
		}
	}
	var groups []group
	for _, holder := range slices.Sorted(maps.Keys(held)) {
		groups = append(groups, group{holder, held[holder]})
	}
	most := len(free)
	if f.pidPerTracer > 0 {
		most = f.pidPerTracer
	}
	if len(free) > 0 {
		for some := range slices.Chunk(free, most) {
			groups = append(groups, group{pids: some})
		}
	}
	return groups
}

// prepareFor makes shared memory, or opens that of a holder.
func prepareFor(holder int) (*shared.Memory, *os.File, error) {
	if holder == 0 {
		return prepare()
	}
	memory, file, err := guard.OpenHolder(holder)
	if err != nil {
		return nil, nil, refuse("the processes run on, untraced", "%v", err)
	}
	return memory, file, nil
}

// share starts a tracer of its own for each group of processes, and passes signals on to all of them.
func share(f *flags, groups []group) error {
	var children []*exec.Cmd
	for _, g := range groups {
		child := exec.Command(self(), append(f.shared(), flagsOf(g.pids)...)...)
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
		if child.Wait() != nil && !askedToLeave(child.ProcessState) {
			failed = exitStatus(child.ProcessState.ExitCode())
		}
	}
	return failed
}

// askedToLeave tells whether a tracer ended by a signal that was passed on to it before it had attached to anything.
func askedToLeave(state *os.ProcessState) bool {
	status, ok := state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && slices.Contains([]syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGQUIT}, status.Signal())
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
