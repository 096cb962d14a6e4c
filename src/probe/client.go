package probe

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/wire"
)

// ackEvery is how many events may be on their way before a receipt is written; one is also written whenever nothing more
// is there to be read.
const ackEvery = 256

// client is one tracer's connection.
type client struct {
	server   *Server
	conn     net.Conn
	in       *bufio.Reader
	who      *authority
	hello    event.Hello     // the first one; later ones on the same connection are ignored
	interest *event.Interest // what its filter is made of; nil: it reports everything
	greeted  bool
	acks     bool
	seq      uint64 // taken
	acked    uint64
	dropped  uint64
}

func newClient(s *Server, conn net.Conn) *client {
	return &client{server: s, conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
}

// serve reads until the tracer leaves or says something that can't be read. Other tracers are not disturbed.
func (c *client) serve() {
	defer c.conn.Close()
	peer := c.conn.RemoteAddr().String()
	if err := c.server.admit(c); err != nil {
		c.server.log.Warnf("%s is turned away: %v", peer, err)
		time.Sleep(refusalRest)
		return
	}
	defer c.tellRefused(peer)
	for r := wire.NewReader(c.in); ; {
		m, err := r.Next()
		switch {
		case err == io.EOF:
			c.receipt()
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.receipt()
			return
		case err != nil:
			c.server.log.Warnf("tracer at %s: %v; the connection is closed", peer, err)
			return
		}
		if err := c.take(peer, &m); err != nil {
			c.server.log.Warnf("tracer at %s: %v; the connection is closed", peer, err)
			time.Sleep(refusalRest)
			return
		}
		emptied := c.in.Buffered() == 0
		if c.seq-c.acked >= ackEvery || emptied {
			c.receipt()
		}
		if emptied && c.server.closing() {
			c.server.drain(c.conn)
		}
	}
}

func (c *client) take(peer string, m *event.Message) error {
	if m.Dropped > c.dropped {
		c.server.log.Warnf("tracer at %s dropped %d events: it could not send them in time", peer, m.Dropped-c.dropped)
		c.dropped = m.Dropped
	}
	switch {
	case m.Hello != nil && !c.greeted:
		return c.greet(peer, m.Hello)
	case m.Event != nil:
		c.event(m)
	}
	return nil
}

func (c *client) greet(peer string, h *event.Hello) error {
	if err := c.server.owners.greet(c.who, h); err != nil {
		return err
	}
	c.server.announce(peer, h)
	c.acks = slices.Contains(h.Accepts, event.AcceptAck)
	var told *event.Interest
	if slices.Contains(h.Accepts, event.AcceptInterest) {
		interest := c.server.interestOf(stream{h.NSID, h.Container.CreatedAt, c.who.uid})
		told = &interest
		c.answer(&event.Answer{Interest: told})
	}
	c.server.lock.Lock()
	defer c.server.lock.Unlock()
	c.greeted, c.hello, c.interest = true, *h, told
	return nil
}

// event takes over what has not been taken before. A tracer that reconnects sends again what it has no receipt for.
func (c *client) event(m *event.Message) {
	if m.Seq > 0 {
		c.seq = m.Seq
		if !c.server.fresh(stream{c.hello.NSID, c.hello.Container.CreatedAt, c.who.uid}, m.Seq) {
			return
		}
	}
	if !c.who.allows(m.Event) {
		return
	}
	c.server.engine.Take(c.hello.NSID, c.hello.Container, m.Event)
}

// tellRefused says how much a tracer claimed of others.
func (c *client) tellRefused(peer string) {
	if c.who.refused > 0 {
		c.server.log.Warnf("tracer at %s: %d events were refused, because user %d spoke for processes of others", peer, c.who.refused, c.who.uid)
	}
}

func (c *client) receipt() {
	if c.acks && c.seq > c.acked {
		c.acked = c.seq
		c.answer(&event.Answer{Ack: c.seq})
	}
}

// answer may fail: the tracer has gone, and the next read says so.
func (c *client) answer(a *event.Answer) {
	frame, err := wire.AppendAnswer(nil, a)
	if err != nil {
		c.server.log.Errorf("answer %s: %v", c.conn.RemoteAddr(), err)
		return
	}
	c.conn.SetWriteDeadline(time.Now().Add(writeLimit))
	c.conn.Write(frame)
}
