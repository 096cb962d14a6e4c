package tracer

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// flushLimit is how long pid 1 waits for the last events after the application has ended. The guardian sends within some
// milliseconds; orphans that live on would keep it, and with it the container, for ever.
const flushLimit = 500 * time.Millisecond

// stayInit is wrap as pid 1. Whatever outlives pid 1 of a namespace is killed, and the tracer with it before it has sent
// the last events; so pid 1 stays as an init: it starts itself again as its child, which becomes the application, passes
// signals on, reaps orphans and ends as the application did.
func stayInit() error {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	attr := &syscall.SysProcAttr{Setpgid: true}
	if foreground() {
		attr.Foreground, attr.Ctty = true, 0
	}
	child, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: attr,
	})
	if err != nil {
		return err
	}
	for s := range signals {
		switch s {
		case unix.SIGCHLD:
			if status, ended := reap(child.Pid); ended {
				waitForOthers(flushLimit)
				return exitStatus(status)
			}
		case unix.SIGURG: // the Go runtime's own
		case unix.SIGTTIN, unix.SIGTTOU, unix.SIGTSTP:
		default:
			child.Signal(s)
		}
	}
	return errors.New("the signals ended")
}

// foreground tells whether standard input is a terminal that this process is in front of.
func foreground() bool {
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// reap collects every child that has ended. The status of the application is its exit code, or 128 and the signal.
func reap(application int) (status int, ended bool) {
	for {
		var w unix.WaitStatus
		pid, err := unix.Wait4(-1, &w, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return status, ended
		}
		if pid == application {
			ended, status = true, w.ExitStatus()
			if w.Signaled() {
				status = 128 + int(w.Signal())
			}
		}
	}
}

// waitForOthers gives the guardian, which has become a child of pid 1, the time to send what is left.
func waitForOthers(limit time.Duration) {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for {
			var w unix.WaitStatus
			pid, err := unix.Wait4(-1, &w, unix.WNOHANG, nil)
			if err == unix.ECHILD {
				return
			}
			if err != nil || pid <= 0 {
				break
			}
		}
	}
}
