// Package supervise stands in for a daemon before an init system that knows only what it has started itself: it starts the
// command that sends the daemon to the background, adopts the daemon, passes signals on to it and ends as it does. What the
// command is, and who traces it, is left to others.
package supervise

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// Supervisor is the parent of one daemon.
type Supervisor struct {
	// Forks is how often the daemon goes into the background: 1 for upstart's expect fork, 2 for expect daemon.
	Forks int
	// Heir is a command that ends the daemon when this process is killed; it gets what Inherit reads.
	Heir []string

	main    int // the process that is followed
	forks   int // between it and the command, as far as that is known
	session int // of the command
	there   bool
	settles <-chan time.Time
	heir    *heir
}

// settling is how long a process that may fork once more is waited for: upstart would wait for ever.
const settling = 5 * time.Second

// Run starts the command and gives the end of the daemon, or of the command where it leaves none. It stops itself by SIGSTOP
// once the daemon is there, which is what upstart waits for by expect stop. The subreaper needs Linux 3.4 (prctl(2)).
func (s *Supervisor) Run(command []string) (unix.WaitStatus, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("adopt orphans: %w", err)
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return 0, err
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	if s.heir, err = bequeath(s.Heir); err != nil {
		return 0, err
	}
	// A session of its own, as upstart gives it: what is sent to this process's group must not reach it twice.
	first, err := os.StartProcess(path, command, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		s.heir.release()
		return 0, err
	}
	s.session = first.Pid
	s.follow(first.Pid)
	defer s.heir.release()
	for {
		select {
		case <-s.settles:
			s.ready()
		case got := <-signals:
			if got != unix.SIGCHLD {
				s.pass(got.(unix.Signal))
			} else if status, over := s.collect(); over {
				return status, nil
			}
		}
	}
}

func (s *Supervisor) follow(pid int) {
	s.main = pid
	s.heir.name(pid)
}

// alone are the signals that upstart sends to the main process itself; those that end a job go to its process group.
var alone = []unix.Signal{unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2}

// own are signals that mean this process: SIGURG is the Go runtime's.
var own = []unix.Signal{unix.SIGURG, unix.SIGCONT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGPIPE}

func (s *Supervisor) pass(got unix.Signal) {
	if slices.Contains(own, got) {
		return
	}
	target := s.main
	if group, err := unix.Getpgid(s.main); err == nil && !slices.Contains(alone, got) {
		target = -group
	}
	unix.Kill(target, got) // it may have ended
}

// collect follows the daemon from process to process until it is there, and tells its end.
func (s *Supervisor) collect() (status unix.WaitStatus, over bool) {
	for {
		status, ended := s.wait()
		if !ended {
			return 0, false
		}
		next := 0
		if status == 0 && s.forks < s.Forks {
			next = s.oldest()
		}
		if next == 0 {
			return status, true
		}
		s.forks++
		s.follow(next)
		if s.forks == s.Forks || s.far(next) {
			s.ready()
		} else {
			s.settles = time.After(settling)
		}
	}
}

// far tells a process that has left the command's session and leads none itself: that is what a second fork is for.
func (s *Supervisor) far(pid int) bool {
	session, err := unix.Getsid(pid)
	return err == nil && session != pid && session != s.session
}

// ready tells upstart that the daemon is there: the process that is followed.
func (s *Supervisor) ready() {
	s.forks, s.there, s.settles = s.Forks, true, nil
	unix.Kill(os.Getpid(), unix.SIGSTOP)
}

// wait tells the end of the process that is followed. Until the daemon is there no other is collected: it may be the next one.
func (s *Supervisor) wait() (status unix.WaitStatus, ended bool) {
	if s.there {
		return reap(s.main)
	}
	got, err := unix.Wait4(s.main, &status, unix.WNOHANG, nil)
	return status, err != nil || got == s.main
}

// reap collects every child that has ended.
func reap(main int) (status unix.WaitStatus, ended bool) {
	for {
		var w unix.WaitStatus
		pid, err := unix.Wait4(-1, &w, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return status, ended
		}
		if pid == main {
			status, ended = w, true
		}
	}
}

// oldest is the child that is the daemon, or is on the way to it: a process that has ended counts only before the last fork.
func (s *Supervisor) oldest() int {
	var reader procfs.Reader
	oldest, since := 0, uint64(0)
	for _, pid := range procfs.Numbers("/proc") {
		var status procfs.Status
		if reader.Status(pid, &status) != 0 || status.PPID != os.Getpid() || pid == s.heir.pid() || host.Part("/proc", pid) {
			continue
		}
		if s.forks+1 == s.Forks && reader.State(pid) == 'Z' {
			continue
		}
		if began := reader.Identity(pid); oldest == 0 || began < since || began == since && pid < oldest {
			oldest, since = pid, began
		}
	}
	return oldest
}
