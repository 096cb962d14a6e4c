package launch

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/ebpfless/ebpfless/src/event"
	"golang.org/x/sys/unix"
)

// What launcher and guardian say to each other, one packet each: the guardian's pid, a word that it may trace the
// launcher, and at last how to go on.
type (
	hello struct{ PID int }
	ready struct{}
	// Verdict ends the launcher's wait.
	Verdict struct {
		Traced   bool
		Filtered bool // a filter is wanted
		Interest event.Interest
		Failure  string // why it is not traced
	}
)

// Guardian is the launcher's end of the conversation.
type Guardian struct{ conn net.Conn }

// Start brings the guardian to life. command is the program and its arguments; it finds the shared memory as descriptor
// 3 and this conversation as descriptor 4. It is no child of ours when Start returns, so that the application never
// meets a child that it doesn't know, and it has a session of its own, so that a terminal's signals pass it by.
func Start(command []string, memory *os.File) (*Guardian, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("start the tracer: %w", err)
	}
	mine, theirs := os.NewFile(uintptr(pair[0]), "guardian"), os.NewFile(uintptr(pair[1]), "launcher")
	defer mine.Close()
	defer theirs.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("start the tracer: %w", err)
	}
	defer null.Close()
	pid, err := syscall.ForkExec("/proc/self/exe", command, &syscall.ProcAttr{
		Dir:   "/",
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), null.Fd(), 2, memory.Fd(), theirs.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return nil, fmt.Errorf("start the tracer: %w", err)
	}
	var status unix.WaitStatus
	for {
		if _, err = unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	if status.ExitStatus() != 0 {
		return nil, fmt.Errorf("start the tracer: its first process ended with status %d", status.ExitStatus())
	}
	return talk(mine)
}

func talk(file *os.File) (*Guardian, error) {
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("talk to the tracer: %w", err)
	}
	return &Guardian{conn: conn}, nil
}

// Wait lets the guardian's processes trace this one, and returns when the command may start.
func (g *Guardian) Wait() (Verdict, error) {
	defer g.conn.Close()
	var h hello
	if err := receive(g.conn, &h); err != nil {
		return Verdict{}, err
	}
	// Where Yama allows only descendants to be traced, this names an exception; without Yama it is EINVAL.
	unix.Prctl(unix.PR_SET_PTRACER, uintptr(h.PID), 0, 0, 0)
	if err := send(g.conn, ready{}); err != nil {
		return Verdict{}, err
	}
	var v Verdict
	return v, receive(g.conn, &v)
}

// Launcher is the guardian's end of the conversation.
type Launcher struct{ conn net.Conn }

// Answer takes up the conversation on the descriptor that Start left.
func Answer(file *os.File) (*Launcher, error) {
	g, err := talk(file)
	if err != nil {
		return nil, err
	}
	l := &Launcher{conn: g.conn}
	if err := send(l.conn, hello{PID: os.Getpid()}); err != nil {
		return nil, err
	}
	return l, receive(l.conn, &ready{})
}

// Gone is closed when the launcher has ended before its verdict.
func (l *Launcher) Gone() <-chan struct{} {
	gone := make(chan struct{})
	go func() {
		var b [1]byte
		l.conn.Read(b[:])
		close(gone)
	}()
	return gone
}

// Decide ends the conversation.
func (l *Launcher) Decide(v Verdict) error {
	defer l.conn.Close()
	return send(l.conn, v)
}

func send(conn net.Conn, message any) error {
	b, err := json.Marshal(message)
	if err == nil {
		_, err = conn.Write(b)
	}
	if err != nil {
		return fmt.Errorf("talk between launcher and tracer: %w", err)
	}
	return nil
}

func receive(conn net.Conn, message any) error {
	var b [4096]byte
	n, err := conn.Read(b[:])
	if err == nil {
		err = json.Unmarshal(b[:n], message)
	}
	if err != nil {
		return fmt.Errorf("talk between launcher and tracer: %w", err)
	}
	return nil
}
