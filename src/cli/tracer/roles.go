package tracer

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/tracer"
	"github.com/ebpfless/ebpfless/src/tracer/guard"
	"github.com/ebpfless/ebpfless/src/tracer/launch"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Descriptors that guardian and loop are started with.
const (
	memoryFD = 3
	talkFD   = 4 // guardian: the conversation with the launcher; a successor's end of the loop's life line
	lifeFD   = 4 // loop: its end of the life line
)

// guardCommand and loopCommand are the tracer's own processes. Their command lines say nothing of the application, so
// that pkill -f finds only the latter; and the loop's says nothing of the guardian's, so that no kill by name hits both in
// the same instant, which alone the application would not survive.
func guardCommand() *cobra.Command {
	var detach, successor bool
	cmd := &cobra.Command{Use: "guard", Hidden: true, Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
		switch {
		case detach:
			return becomeOrphan()
		case successor:
			return succeed()
		}
		return guardLauncher()
	}}
	cmd.Flags().BoolVar(&detach, "detach", false, "start the guardian and end")
	cmd.Flags().BoolVar(&successor, "successor", false, "take over from a guardian that was killed")
	return cmd
}

// becomeOrphan makes the guardian a process that is nobody's child but init's.
func becomeOrphan() error {
	_, err := syscall.ForkExec("/proc/self/exe", []string{self(), "guard"}, &syscall.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: []uintptr{0, 1, 2, memoryFD, talkFD},
	})
	return err
}

// loop is the command line of a tracing loop.
func loop() []string { return []string{host.LoopName, "loop"} }

// takeName is for ps(1): executing /proc/self/exe has left "exe" as the name.
func takeName(text string) {
	name := [16]byte{}
	copy(name[:15], text)
	unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name)), 0, 0, 0)
}

func newGuard() (*guard.Guard, error) {
	takeName("cws-instrumentation")
	closeAbove(talkFD)
	file := os.NewFile(memoryFD, "shared memory")
	memory, err := shared.Map(file)
	if err != nil {
		return nil, err
	}
	c, err := guard.Load(memory)
	if err != nil {
		return nil, err
	}
	log := logger(c)
	return &guard.Guard{
		Memory: memory, File: file, Config: c, Command: loop(), Log: log,
		Settled: func() { releaseStderr(c, log) },
	}, nil
}

func guardLauncher() error {
	g, err := newGuard()
	if err != nil {
		return err
	}
	if g.Config.Verbose {
		sayFeatures(g.Log)
	}
	launcher, err := launch.Answer(os.NewFile(talkFD, "launcher"))
	if err != nil {
		return err
	}
	if err := g.Wrap(launcher); !errors.Is(err, guard.ErrLauncherGone) {
		return err
	}
	return nil
}

func succeed() error {
	g, err := newGuard()
	if err != nil {
		return err
	}
	return g.Succeed()
}

func loopCommand() *cobra.Command {
	var layout bool
	cmd := &cobra.Command{Use: "loop", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		if layout {
			fmt.Fprintln(cmd.OutOrStdout(), shared.Version())
			return nil
		}
		return trace()
	}}
	cmd.Flags().BoolVar(&layout, "layout", false, "print the version of the shared memory and end")
	return cmd
}

// trace is the tracing loop's process.
func trace() error {
	takeName(host.LoopName)
	closeAbove(lifeFD)
	memory, err := shared.Map(os.NewFile(memoryFD, "shared memory"))
	if err != nil {
		return err
	}
	c, err := guard.Load(memory)
	if err != nil {
		return err
	}
	log := logger(c)
	releaseStderr(c, log)
	options := tracer.Options{Interest: memory.Control.Interest(), NoStat: c.NoStat, Argv: loop(), Log: log, Systemd: c.Systemd}
	line := &lifeline{file: os.NewFile(lifeFD, "life line")}
	tracer.Run(memory, options, c.Launcher, line)
	return nil
}

// lifeline is how a loop learns that its guardian has gone, and gets another one.
type lifeline struct{ file *os.File }

// Gone implements tracer.Guardian.
func (l *lifeline) Gone() <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		var b [1]byte
		l.file.Read(b[:])
		close(gone)
	}()
	return gone
}

// Revive implements tracer.Guardian. The new life line takes the number of the old one, for the next image of the loop.
func (l *lifeline) Revive() error {
	mine, theirs, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a life line: %w", err)
	}
	defer theirs.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("start a guardian: %w", err)
	}
	defer null.Close()
	err = unix.Dup3(int(mine.Fd()), lifeFD, 0)
	mine.Close()
	if err != nil {
		return fmt.Errorf("make a life line: %w", err)
	}
	l.file = os.NewFile(lifeFD, "life line")
	pid, err := syscall.ForkExec("/proc/self/exe", []string{self(), "guard", "--successor"}, &syscall.ProcAttr{
		Dir: "/", Env: os.Environ(), Files: []uintptr{null.Fd(), null.Fd(), 2, memoryFD, theirs.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("start a guardian: %w", err)
	}
	go unix.Wait4(pid, nil, 0, nil) // it is a child of ours until it, too, is killed
	return nil
}

// closeAbove closes what was inherited and is not ours: the application's sockets and locks must not live on in us.
func closeAbove(last int) {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > last && inherited(fd) {
			unix.Close(fd)
		}
	}
}

// inherited tells descriptors that came through an exec from those that the Go runtime has opened since.
func inherited(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC == 0
}
