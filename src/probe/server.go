package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/wire"
	"github.com/sirupsen/logrus"
)

// Limits of the server: any local user can connect.
const (
	maxConnections = 1024
	maxStreams     = 4096 // tracers whose position is remembered
	writeLimit     = 5 * time.Second
	drainLimit     = 2 * time.Second       // for what tracers have sent before the server ends
	drainPause     = 50 * time.Millisecond // a tracer that is silent for so long has sent everything
)

// Server listens for tracers and feeds their events to an engine.
type Server struct {
	engine   *Engine
	log      *logrus.Entry
	listener net.Listener
	owners   authorities

	lock    sync.Mutex
	clients map[*client]bool
	streams map[stream]uint64 // the last event taken of each tracer
	told    map[stream]event.Interest
	running sync.WaitGroup

	drained atomic.Int64 // when the last byte is read, in nanoseconds since the epoch; 0: not closing
}

// stream identifies a tracer over its connections: two of a user don't start in one namespace in the same
// nanosecond.
type stream struct {
	nsid, started uint64
	uid           uint32
}

// Listen opens the socket at host:port, IPv4 as the original. Port 0 takes a free one.
func Listen(addr string, engine *Engine, log *logrus.Entry) (*Server, error) {
	var plain net.ListenConfig
	plain.SetMultipathTCP(false) // whose connections SELinux labels as the kernel's own (seen on 6.1)
	listener, err := plain.Listen(context.Background(), "tcp4", wire.Address(addr))
	if err != nil {
		return nil, fmt.Errorf("listen for tracers: %w", err)
	}
	return &Server{
		engine: engine, log: log, listener: listener, clients: map[*client]bool{}, streams: map[stream]uint64{},
		told: map[stream]event.Interest{}, owners: authorities{mount: "/proc"},
	}, nil
}

// ReadProcesses names the mount point of the proc file system with the host's processes, if it isn't /proc. Call it before
// Serve.
func (s *Server) ReadProcesses(mount string) { s.owners.mount = mount }

// Addr is where the server listens.
func (s *Server) Addr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// Serve takes connections until Close.
func (s *Server) Serve() error {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			s.log.Warnf("accept a tracer: %v", err) // such as too many open files; it may pass
			time.Sleep(100 * time.Millisecond)
			continue
		}
		s.take(conn)
	}
}

func (s *Server) take(conn net.Conn) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.closing() || len(s.clients) >= maxConnections {
		s.log.Warnf("%s is turned away: %d tracers are connected", conn.RemoteAddr(), len(s.clients))
		conn.Close()
		return
	}
	c := newClient(s, conn)
	s.clients[c] = true
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		c.serve()
		s.lock.Lock()
		defer s.lock.Unlock()
		delete(s.clients, c)
	}()
}

// admit finds out who has connected, and leaves room for others.
func (s *Server) admit(c *client) error {
	who, err := s.owners.of(c.conn)
	if err != nil {
		return err
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	c.who = who
	same := 0
	for other := range s.clients {
		if other.who != nil && other.who.bound && other.who.uid == who.uid {
			same++
		}
	}
	if who.bound && same > maxPerUser {
		return fmt.Errorf("user %d has %d connections already", who.uid, maxPerUser)
	}
	return nil
}

// Clients is the number of tracers that are connected.
func (s *Server) Clients() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return len(s.clients)
}

// fresh tells whether an event of a stream has not been taken before, and notes it.
func (s *Server) fresh(id stream, seq uint64) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	if seq <= s.streams[id] {
		return false
	}
	if len(s.streams) >= maxStreams {
		clear(s.streams) // a tracer that comes back may then repeat some events
	}
	s.streams[id] = seq
	return true
}

// Close ends listening, reads what tracers have sent already, and returns when every connection is done.
func (s *Server) Close() {
	s.lock.Lock()
	s.drained.Store(time.Now().Add(drainLimit).UnixNano())
	s.listener.Close()
	for c := range s.clients {
		s.drain(c.conn)
	}
	s.lock.Unlock()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(drainLimit):
		s.log.Warn("some tracers kept sending; what comes now waits for the next start")
	}
}

func (s *Server) closing() bool { return s.drained.Load() != 0 }

// drain gives a closing server's tracer the time to go on sending.
func (s *Server) drain(conn net.Conn) {
	deadline := time.Now().Add(drainPause)
	if last := time.Unix(0, s.drained.Load()); last.Before(deadline) {
		deadline = last
	}
	conn.SetReadDeadline(deadline)
}

// announce is called for the first hello of each connection.
func (s *Server) announce(peer string, h *event.Hello) {
	s.log.Info(describe(peer, h))
	s.engine.tellHello(h)
}
