package guard

import (
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/ring"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/ebpfless/ebpfless/src/wire"
	"github.com/sirupsen/logrus"
)

// Times of the sender.
const (
	pollEvery  = 5 * time.Millisecond // while events come
	idleAfter  = 20                   // polls without an event, after which the sender sleeps until it is woken
	sleepLimit = time.Second
	flushPause = time.Second      // without progress, after the application has ended: what is left is given up
	flushLimit = 10 * time.Second // in any case: an init system waits for us
	batchBytes = 64 << 10
	logEvery   = 10 * time.Second // lines about dropped events
)

// Sender drains the ring towards the probe. Nothing leaves the ring before the probe has it: a sender that is killed, a
// connection that breaks and a probe that restarts lose no event that is in the ring. An event can arrive twice then;
// its sequence number tells.
type Sender struct {
	memory *shared.Memory
	link   *Link // nil: nothing is sent
	names  record.Names
	places *places
	log    *logrus.Entry

	found <-chan *event.Event // of the scan; nil without one

	facts   record.Facts
	batch   []byte
	sent    []mark // what is on its way, oldest first
	at      ring.Cursor
	dropped uint64

	logged   uint64 // of dropped, what the log has
	loggedAt time.Time

	epoch int // connection that at and sent belong to
}

// mark is a point in the stream: once the probe has everything up to seq, the ring may be reused up to next.
type mark struct {
	seq  uint64
	next ring.Cursor
}

// NewSender makes a sender for a link.
func NewSender(m *shared.Memory, link *Link, names record.Names, places *places, found <-chan *event.Event, log *logrus.Entry) *Sender {
	return &Sender{memory: m, link: link, names: names, places: places, found: found, log: log, at: m.Ring.Start()}
}

// Run sends until done is closed, and then what is left, as long as the probe takes it.
func (s *Sender) Run(done <-chan struct{}) {
	for quiet := 0; ; {
		if s.step() {
			quiet = 0
			continue
		}
		select {
		case <-done:
			s.flush()
			return
		case <-time.After(pollEvery):
		}
		if quiet++; quiet > idleAfter && len(s.sent) == 0 {
			s.memory.Sleep(sleepLimit, s.more)
		}
	}
}

func (s *Sender) more() bool {
	_, ok, err := s.memory.Ring.Read(s.at)
	return ok || err != nil
}

// flush sends what is left while the probe takes it.
func (s *Sender) flush() {
	begun, progress, left := time.Now(), time.Now(), s.memory.Ring.Start()
	for time.Since(progress) < flushPause && time.Since(begun) < flushLimit {
		sent := s.step()
		if now := s.memory.Ring.Start(); sent || now != left {
			progress, left = time.Now(), now
			continue
		}
		if len(s.sent) == 0 && !s.more() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.loggedAt = time.Time{}
	s.noteDrops()
	if s.more() || len(s.sent) > 0 {
		s.log.Warn("the probe did not take the last events in time; they are lost")
	}
	if s.link != nil {
		s.link.Close()
	}
}

// step sends what the ring has, and tells whether it had anything.
func (s *Sender) step() bool {
	s.noteDrops()
	conn := s.connection()
	if conn == nil && s.link != nil {
		return false
	}
	if conn != nil {
		s.acknowledged(conn.Acked())
	}
	if !s.fill(conn) {
		return false
	}
	if conn != nil && !conn.Write(s.batch) {
		return false
	}
	if conn == nil || !conn.Acks() {
		s.memory.Ring.Release(s.at)
		s.sent = s.sent[:0]
	}
	return true
}

// connection gives the connection of now. After a reconnection everything that is not acknowledged is sent again.
func (s *Sender) connection() *Conn {
	if s.link == nil {
		return nil
	}
	conn := s.link.Current()
	if conn != nil && conn.Epoch != s.epoch {
		s.epoch = conn.Epoch
		s.at, s.sent = s.memory.Ring.Start(), s.sent[:0]
	}
	return conn
}

// fill encodes as many records as one write carries.
func (s *Sender) fill(conn *Conn) bool {
	s.batch = s.batch[:0]
	last := uint64(0)
	start := s.at
	for len(s.batch) < batchBytes {
		rec, ok, err := s.memory.Ring.Read(s.at)
		if err != nil {
			s.log.Errorf("%v: what it held is lost and counted", err)
			s.memory.Ring.Discard()
			s.at = s.memory.Ring.Start()
			return false
		}
		if !ok {
			break
		}
		s.at, last = rec.Next, rec.Seq
		s.encode(rec, conn)
	}
	if s.at == start {
		return s.fillFound(conn)
	}
	s.sent = append(s.sent, mark{seq: last, next: s.at})
	return true
}

func (s *Sender) encode(rec ring.Record, conn *Conn) {
	program, err := record.Parse(rec.Data, &s.facts)
	if err != nil {
		s.log.Errorf("read event %d: %v", rec.Seq, err)
		return
	}
	s.add(record.Event(&s.facts, program, s.names), rec.Seq, conn)
}

// fillFound takes what the scan has found. It is in no ring: what a broken connection swallows of it is lost.
func (s *Sender) fillFound(conn *Conn) bool {
	for len(s.batch) < batchBytes {
		select {
		case e := <-s.found:
			s.add(e, 0, conn)
		default:
			return len(s.batch) > 0
		}
	}
	return true
}

func (s *Sender) add(e *event.Event, seq uint64, conn *Conn) {
	if e.ContainerID == "" && e.CGroupID == "" { // what the scan found has its own
		place := s.places.of(e)
		e.ContainerID, e.CGroupID = place.ContainerID, place.CGroupID
	}
	ours := conn != nil && conn.Answered()
	if !ours && (e.Kind == event.Ptrace || e.Kind == event.Signal) {
		return // kinds that the original has no word for
	}
	m := event.Message{Event: e}
	if ours {
		m.Seq, m.Dropped = seq, s.dropped
	}
	if s.log.Logger.IsLevelEnabled(logrus.DebugLevel) {
		s.log.WithField("event", describe(e)).Debug("event")
	}
	if conn == nil {
		return
	}
	frame, err := wire.AppendMessage(s.batch, &m)
	if err != nil {
		s.log.Errorf("encode %s of pid %d: %v", e.Kind, e.PID, err)
		return
	}
	s.batch = frame
}

// acknowledged gives the room of what the probe has back to the loop.
func (s *Sender) acknowledged(seq uint64) {
	n := 0
	for n < len(s.sent) && s.sent[n].seq <= seq {
		n++
	}
	if n > 0 {
		s.memory.Ring.Release(s.sent[n-1].next)
		s.sent = s.sent[:copy(s.sent, s.sent[n:])]
	}
}

// noteDrops has the next message tell of what the ring had no room for. The log gets a line now and then, not one for each
// few events of a flood.
func (s *Sender) noteDrops() {
	s.dropped = s.memory.Ring.Dropped()
	if s.dropped == s.logged || time.Since(s.loggedAt) < logEvery {
		return
	}
	s.log.Warnf("%d events were dropped because %d MiB of them wait for the probe (%d since the start)",
		s.dropped-s.logged, shared.RingBytes>>20, s.dropped)
	s.logged, s.loggedAt = s.dropped, time.Now()
}
