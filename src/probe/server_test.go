package probe

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/wire"
	"github.com/sirupsen/logrus"
)

func serve(t testing.TB, e *Engine) *Server {
	t.Helper()
	log := logrus.New()
	log.SetOutput(io.Discard)
	s, err := Listen("127.0.0.1:0", e, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve()
	t.Cleanup(s.Close)
	return s
}

// peer is a tracer of the test.
type peer struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func connect(t testing.TB, s *Server) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{t: t, conn: conn, in: bufio.NewReader(conn)}
}

func (p *peer) send(messages ...*event.Message) {
	p.t.Helper()
	var frames []byte
	for _, m := range messages {
		var err error
		if frames, err = wire.AppendMessage(frames, m); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := p.conn.Write(frames); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) answer() event.Answer {
	p.t.Helper()
	a, err := wire.ReadAnswer(p.in)
	if err != nil {
		p.t.Fatal(err)
	}
	return a
}

// events waits until the engine has counted so many.
func events(t testing.TB, e *Engine, want uint64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if e.Counts().Events >= want {
			break
		}
	}
	if got := e.Counts().Events; got != want {
		t.Errorf("%d events were taken, want %d", got, want)
	}
}

var hello = &event.Message{Hello: &event.Hello{
	NSID: testNS, Mode: event.Wrapped, Container: event.Container{CreatedAt: 5},
	Accepts: []string{event.AcceptInterest, event.AcceptAck},
}}

func numbered(seq uint64) *event.Message {
	return &event.Message{Seq: seq, Event: &event.Event{Kind: event.Open, PID: 9, File: event.File{Path: "/x"}}}
}

func TestOurTracersGetInterestAndReceiptsAndCountOnce(t *testing.T) {
	e, found := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	s := serve(t, e)
	p := connect(t, s)
	p.send(hello)
	if a := p.answer(); a.Interest == nil || !a.Interest.Kinds.Has(event.Open) || a.Interest.Kinds.Has(event.Connect) {
		t.Fatalf("the hello was answered with %+v", a)
	}
	p.send(numbered(1), numbered(2), numbered(3))
	for a := p.answer(); a.Ack != 3; a = p.answer() {
		if a.Ack > 3 || a.Ack == 0 {
			t.Fatalf("receipt for %d", a.Ack)
		}
	}
	p.conn.Close()
	again := connect(t, s)
	again.send(hello, numbered(2), numbered(3), numbered(4))
	events(t, e, 4)
	s.Close()
	if len(*found) != 4 {
		t.Errorf("%d detections of 4 events, two of which came twice", len(*found))
	}
}

func TestTheOriginalsRecordingsAreTaken(t *testing.T) {
	for name, want := range map[string]uint64{"recorded-2024.raw": 292, "recorded-2025.raw": 296} {
		e, _ := engineWith(t, policyOf(`open.file.path == "/etc/hostname"`, ""))
		p := connect(t, serve(t, e))
		stream, err := os.ReadFile("../wire/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.conn.Write(stream); err != nil {
			t.Fatal(err)
		}
		events(t, e, want)
		if c := e.Counts(); c.Detections != 1 || c.Processes != 1 {
			t.Errorf("%s: %d detections of one read of /etc/hostname; %d processes left, not only the first, whose end the original keeps to itself", name, c.Detections, c.Processes)
		}
		p.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, _ := p.conn.Read(make([]byte, 1)); n != 0 {
			t.Error("the original's tracer, which reads nothing, was answered")
		}
	}
}

func TestABadPeerDisturbsNobody(t *testing.T) {
	e, _ := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	s := serve(t, e)
	good := connect(t, s)
	good.send(hello, numbered(1))
	for _, bytes := range [][]byte{{255, 255, 255, 255}, {4, 0, 0, 0, 1, 2, 3, 4}, bytes.Repeat([]byte("GET / "), 100)} {
		bad := connect(t, s)
		bad.conn.Write(bytes)
		if _, err := bad.in.ReadByte(); err == nil {
			t.Errorf("%q was answered", bytes[:4])
		}
	}
	good.send(numbered(2))
	events(t, e, 2)
}

func TestCloseTakesWhatWasSent(t *testing.T) {
	e, _ := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	s := serve(t, e)
	p := connect(t, s)
	p.send(hello)
	p.answer()
	var burst []*event.Message
	for seq := range uint64(5000) {
		burst = append(burst, numbered(seq+1))
	}
	p.send(burst...)
	s.Close()
	events(t, e, 5000)
	if _, err := net.DialTimeout("tcp", s.Addr().String(), time.Second); err == nil {
		t.Error("it still listens")
	}
}

// BenchmarkEndToEnd sends frames over real TCP into an engine with the default rules.
func BenchmarkEndToEnd(b *testing.B) {
	e, _ := engineWith(b, policyOf(`open.file.path == "/y"`, ""))
	p := connect(b, serve(b, e))
	p.conn.SetDeadline(time.Time{})
	frame, err := wire.AppendMessage(nil, &event.Message{Event: &event.Event{Kind: event.Open, PID: 9, File: event.File{Path: "/usr/share/doc/x"}}})
	if err != nil {
		b.Fatal(err)
	}
	batch := bytes.Repeat(frame, 100)
	sent := uint64(0)
	for b.Loop() {
		if _, err := p.conn.Write(batch); err != nil {
			b.Fatal(err)
		}
		sent += 100
	}
	for e.Counts().Events < sent {
		time.Sleep(100 * time.Microsecond)
	}
	b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "events/s")
}
