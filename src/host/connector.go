package host

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The proc connector (Documentation/driver-api/connector.rst, include/uapi/linux/cn_proc.h; Linux 2.6.15): the kernel tells
// of each fork, exec and exit over netlink. It serves the initial pid and network namespaces only, and asks for
// CAP_NET_ADMIN.
const (
	cnIndexProc  = 1 // CN_IDX_PROC
	cnValueProc  = 1 // CN_VAL_PROC
	mcastListen  = 1 // PROC_CN_MCAST_LISTEN
	procNone     = 0 // PROC_EVENT_NONE: the answer to listening
	procFork     = 1
	procExec     = 2
	procExit     = 0x80000000
	headerLength = 16 + 20             // nlmsghdr, cn_msg
	whatAt       = headerLength        // proc_event.what
	timeAt       = headerLength + 8    // proc_event.timestamp_ns
	dataAt       = headerLength + 16   // proc_event.event_data
	messageLimit = headerLength + 1024 // the kernel's are below 100 bytes
	bufferSize   = 8 << 20             // of the socket, bytes: some 10,000 messages
	answerLimit  = time.Second
)

// notice is one message of the kernel.
type notice struct {
	what   uint32
	pid    int // process, not thread; of a fork the child
	parent int
	status uint32 // of an exit, as wait(2) has it
	at     uint64 // nanoseconds since the boot, suspended time not counted
}

// connector is a socket that listens. It is read by the thread that waits for it: Go's poller would wake a thread that then
// wakes another, and programs have ended meanwhile. It belongs to one goroutine, but for stop.
type connector struct {
	fd       int
	ended    int // the reading end of a pipe
	ending   int // its other end: closed when nothing is to be read any more
	deadline time.Time
	stopped  atomic.Bool
	buf      [messageLimit]byte
}

// errLost: notices came faster than they were read, and some are gone.
var errLost = errors.New("the kernel dropped notices of processes")

// dial begins to listen. The error says what the kernel asks for.
func dial() (*connector, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("proc connector: %w", err)
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("proc connector: %w", err)
	}
	c := &connector{fd: fd, ended: pipe[0], ending: pipe[1]}
	if err := c.listen(fd); err != nil {
		c.Close()
		return nil, fmt.Errorf("proc connector: %w", err)
	}
	return c, nil
}

func (c *connector) listen(fd int) error {
	filters := wanted()
	program := &unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program); err != nil {
		return fmt.Errorf("attach filter: %w", err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bufferSize) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: cnIndexProc}); err != nil {
		return fmt.Errorf("bind (it needs CAP_NET_ADMIN): %w", err)
	}
	m := make([]byte, headerLength+4)
	put := binary.NativeEndian
	put.PutUint32(m[0:], uint32(len(m)))
	put.PutUint16(m[4:], unix.NLMSG_DONE)
	put.PutUint32(m[16:], cnIndexProc)
	put.PutUint32(m[20:], cnValueProc)
	put.PutUint16(m[32:], 4)
	put.PutUint32(m[36:], mcastListen)
	if err := unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("listen (it serves the initial network and pid namespaces only): %w", err)
	}
	c.deadline = time.Now().Add(answerLimit)
	defer func() { c.deadline = time.Time{} }()
	for {
		n, err := c.next(true)
		switch {
		case err != nil:
			return fmt.Errorf("no answer (it serves the initial network and pid namespaces only): %w", err)
		case n.what == procNone && n.status != 0:
			return fmt.Errorf("listen: %w", unix.Errno(n.status))
		case n.what == procNone:
			return nil
		}
	}
}

// next gives a notice. Without wait it is os.ErrDeadlineExceeded when there is none; errLost when some are missing;
// os.ErrClosed after stop.
func (c *connector) next(wait bool) (notice, error) {
	for {
		if wait && c.stopped.Load() {
			return notice{}, os.ErrClosed
		}
		n, from, err := unix.Recvfrom(c.fd, c.buf[:], unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN && !wait:
			return notice{}, os.ErrDeadlineExceeded
		case err == unix.EAGAIN:
			if err := c.wait(); err != nil {
				return notice{}, err
			}
			continue
		case err == unix.ENOBUFS:
			return notice{}, errLost
		case err == unix.EINTR:
			continue
		case err != nil:
			return notice{}, err
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue // only the kernel is believed
		}
		if parsed, ok := parseNotice(c.buf[:n]); ok {
			return parsed, nil
		}
	}
}

// wait returns when there is something to read.
func (c *connector) wait() error {
	timeout := -1
	if !c.deadline.IsZero() {
		timeout = max(0, int(time.Until(c.deadline).Milliseconds()))
	}
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}, {Fd: int32(c.ended)}}
	n, err := unix.Poll(fds, timeout)
	switch {
	case err == unix.EINTR:
		return nil
	case err != nil:
		return err
	case n == 0:
		return os.ErrDeadlineExceeded
	case fds[1].Revents != 0:
		return os.ErrClosed
	}
	return nil
}

// stop ends waiting, from any goroutine.
func (c *connector) stop() {
	if c.stopped.CompareAndSwap(false, true) {
		unix.Close(c.ending)
	}
}

// Close ends listening.
func (c *connector) Close() {
	c.stop()
	unix.Close(c.fd)
	unix.Close(c.ended)
}

// parseNotice reads a message; false for one that isn't of the proc connector.
func parseNotice(m []byte) (n notice, ok bool) {
	get := binary.NativeEndian
	if len(m) < dataAt+8 || get.Uint32(m[16:]) != cnIndexProc || get.Uint32(m[20:]) != cnValueProc {
		return n, false
	}
	n.what, n.at = get.Uint32(m[whatAt:]), get.Uint64(m[timeAt:])
	data := m[dataAt:]
	switch {
	case n.what == procNone:
		n.status = get.Uint32(data)
	case n.what == procFork && len(data) >= 16:
		n.parent, n.pid = int(get.Uint32(data[4:])), int(get.Uint32(data[12:]))
	case n.what == procExec:
		n.pid = int(get.Uint32(data[4:]))
	case n.what == procExit && len(data) >= 12:
		n.pid, n.status = int(get.Uint32(data[4:])), get.Uint32(data[8:])
	default:
		return n, false
	}
	return n, true
}

// wanted lets the kernel leave out what is not read: threads, and changes of ids, names and sessions.
func wanted() []unix.SockFilter {
	// BPF loads as the network does, the kernel has written as this machine does.
	native := func(n uint32) uint32 {
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], n)
		return binary.BigEndian.Uint32(b[:])
	}
	load := func(at uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: at, Size: 4} }
	program, err := bpf.Assemble([]bpf.Instruction{
		load(whatAt),
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native(procNone), SkipTrue: 11},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native(procExec), SkipTrue: 10},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native(procExit), SkipTrue: 5},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: native(procFork), SkipTrue: 9},
		load(dataAt + 8), // fork: the child's thread and process
		bpf.TAX{},
		load(dataAt + 12),
		bpf.Jump{Skip: 3},
		load(dataAt), // exit: thread and process
		bpf.TAX{},
		load(dataAt + 4),
		bpf.JumpIfX{Cond: bpf.JumpEqual, SkipFalse: 1},
		bpf.RetConstant{Val: messageLimit},
		bpf.RetConstant{Val: 0},
	})
	if err != nil {
		panic(err) // the program is a constant
	}
	filters := make([]unix.SockFilter, len(program))
	for i, p := range program {
		filters[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return filters
}
