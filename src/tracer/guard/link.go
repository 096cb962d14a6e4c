package guard

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/wire"
	"github.com/sirupsen/logrus"
)

// Times of a connection.
const (
	dialLimit  = 5 * time.Second
	retryEvery = time.Second
	// answerLimit is how long events wait for a probe's answer to the hello: the original never gives one.
	answerLimit = 250 * time.Millisecond
	writeLimit  = 30 * time.Second
)

// Link keeps a connection to the probe, and makes a new one whenever it breaks.
type Link struct {
	addr    string
	hello   event.Hello
	log     *logrus.Entry
	current atomic.Pointer[Conn]
	epochs  int
	closed  chan struct{}
	once    sync.Once
}

// Conn is one connection.
type Conn struct {
	Epoch    int
	conn     net.Conn
	answered atomic.Bool
	acked    atomic.Uint64
	broken   chan struct{}
	once     sync.Once
	interest chan event.Interest
}

// NewLink prepares a link; Connect makes the first connection.
func NewLink(addr string, hello event.Hello, log *logrus.Entry) *Link {
	hello.Accepts = []string{event.AcceptInterest, event.AcceptAck}
	return &Link{addr: addr, hello: hello, log: log, closed: make(chan struct{})}
}

// Connect tries once. On success the probe has the hello, and its interest if it is one of ours; nil otherwise.
func (l *Link) Connect() (*event.Interest, error) {
	raw, err := net.DialTimeout("tcp", wire.Address(l.addr), dialLimit)
	if err != nil {
		return nil, err
	}
	frame, err := wire.AppendMessage(nil, &event.Message{Hello: &l.hello})
	if err != nil {
		raw.Close()
		return nil, err
	}
	raw.SetWriteDeadline(time.Now().Add(writeLimit))
	if _, err := raw.Write(frame); err != nil {
		raw.Close()
		return nil, err
	}
	l.epochs++
	c := &Conn{Epoch: l.epochs, conn: raw, broken: make(chan struct{}), interest: make(chan event.Interest, 1)}
	go c.listen()
	var interest *event.Interest
	select {
	case i := <-c.interest:
		interest = &i
	case <-time.After(answerLimit):
	case <-c.broken:
	}
	l.current.Store(c)
	return interest, nil
}

// Keep connects again whenever the connection breaks, until the link is closed.
func (l *Link) Keep() {
	for {
		if c := l.current.Load(); c != nil {
			select {
			case <-c.broken:
				l.current.Store(nil)
				l.log.Warnf("the connection to the probe at %s broke; events wait", l.addr)
			case <-l.closed:
				c.close()
				return
			}
		}
		if _, err := l.Connect(); err == nil {
			l.log.Infof("connected to the probe at %s", l.addr)
			continue
		}
		select {
		case <-time.After(retryEvery):
		case <-l.closed:
			return
		}
	}
}

// Current gives the connection of now, nil while there is none.
func (l *Link) Current() *Conn { return l.current.Load() }

// Close ends the link.
func (l *Link) Close() {
	l.once.Do(func() { close(l.closed) })
	if c := l.current.Load(); c != nil {
		c.close()
	}
}

// Write sends whole frames; false means that the connection is broken.
func (c *Conn) Write(frames []byte) bool {
	c.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	if _, err := c.conn.Write(frames); err != nil {
		c.close()
		return false
	}
	return true
}

// Answered tells whether the probe is one of ours, and so understands what only ours does.
func (c *Conn) Answered() bool { return c.answered.Load() }

// Acks tells whether the probe says what it has taken over.
func (c *Conn) Acks() bool { return c.Answered() }

// Acked is the last event that the probe has taken over.
func (c *Conn) Acked() uint64 { return c.acked.Load() }

// listen reads the probe's answers. The original's probe says nothing; its end of file still shows that it is gone.
func (c *Conn) listen() {
	defer c.close()
	r := bufio.NewReader(c.conn)
	for {
		answer, err := wire.ReadAnswer(r)
		if err != nil {
			return
		}
		c.answered.Store(true)
		if answer.Ack > c.acked.Load() {
			c.acked.Store(answer.Ack)
		}
		if answer.Interest != nil {
			select {
			case c.interest <- *answer.Interest:
			default:
			}
		}
	}
}

func (c *Conn) close() {
	c.once.Do(func() {
		close(c.broken)
		c.conn.Close()
	})
}
