package supervise

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// heir is a process that outlives the supervisor's SIGKILL, as the daemon in its own session does, and ends the daemon. An init
// system that kills, when its patience is over, knows the supervisor alone.
type heir struct {
	process *exec.Cmd
	news    io.WriteCloser
}

func bequeath(command []string) (*heir, error) {
	h := &heir{process: exec.Command(command[0], command[1:]...)}
	h.process.Dir, h.process.Stderr = "/", os.Stderr
	h.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var err error
	if h.news, err = h.process.StdinPipe(); err == nil {
		err = h.process.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start who ends the daemon in need: %w", err)
	}
	return h, nil
}

func (h *heir) pid() int { return h.process.Process.Pid }

// name tells the heir the process to end.
func (h *heir) name(pid int) { fmt.Fprintln(h.news, pid) }

// release lets the heir go, with nothing to do.
func (h *heir) release() {
	h.name(0)
	h.news.Close()
}

// Inherit is the heir: when the news end without the word that nothing is to be done, it kills the process named last, with its
// group.
func Inherit(news io.Reader) error {
	var reader procfs.Reader
	var main int
	var began uint64
	lines := bufio.NewScanner(news)
	for lines.Scan() {
		pid, err := strconv.Atoi(lines.Text())
		if err != nil {
			return fmt.Errorf("hear of the daemon: %w", err)
		}
		main, began = pid, reader.Identity(pid)
	}
	if main == 0 || reader.Identity(main) != began {
		return lines.Err()
	}
	group, err := unix.Getpgid(main)
	if err != nil || group == unix.Getpgrp() {
		return err
	}
	fmt.Fprintf(os.Stderr, "the supervisor was killed: so is process %d\n", main)
	return unix.Kill(-group, unix.SIGKILL)
}
