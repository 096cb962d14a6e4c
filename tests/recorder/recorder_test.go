package recorder

import (
	"net"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/wire"
)

const limit = 10 * time.Second

func connect(t *testing.T, answer *event.Answer) (*Recorder, net.Conn) {
	t.Helper()
	r, err := Start(answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	conn, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return r, conn
}

func send(t *testing.T, conn net.Conn, m event.Message) {
	t.Helper()
	frame, err := wire.AppendMessage(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
}

func TestKeepsWhatComes(t *testing.T) {
	r, conn := connect(t, nil)
	send(t, conn, event.Message{Hello: &event.Hello{Mode: event.Wrapped, NSID: 7}})
	send(t, conn, event.Message{Event: &event.Event{Kind: event.Exit, PID: 9, Exit: event.ExitInfo{Code: 3}}})
	if err := r.WaitEvent(limit, func(e *event.Event) bool { return e.PID == 9 && e.Exit.Code == 3 }); err != nil {
		t.Fatal(err)
	}
	if h := r.Hellos(); len(h) != 1 || h[0].NSID != 7 {
		t.Errorf("hellos %+v", h)
	}
	conn.Close()
	if err := r.WaitGone(limit); err != nil {
		t.Error(err)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestAnswersWhoAsks(t *testing.T) {
	want := event.SetOf(event.Exec, event.Open)
	_, conn := connect(t, &event.Answer{Interest: &event.Interest{Kinds: want}})
	conn.SetDeadline(time.Now().Add(limit))
	send(t, conn, event.Message{Hello: &event.Hello{Accepts: []string{event.AcceptInterest}}})
	if a, err := wire.ReadAnswer(conn); err != nil || a.Interest == nil || a.Interest.Kinds != want {
		t.Errorf("answer %+v, %v", a, err)
	}
	send(t, conn, event.Message{Event: &event.Event{Kind: event.Fork, PID: 1}, Seq: 5})
	if a, err := wire.ReadAnswer(conn); err != nil || a.Ack != 5 {
		t.Errorf("receipt %+v, %v", a, err)
	}
}

func TestTellsOfBadFramesAndLosses(t *testing.T) {
	r, conn := connect(t, nil)
	send(t, conn, event.Message{Event: &event.Event{Kind: event.Fork, PID: 1}, Seq: 1, Dropped: 4})
	conn.Write([]byte{1, 0, 0, 0, 0xc1})
	if err := r.WaitGone(limit); err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err == nil {
		t.Error("no word of a bad frame and four lost events")
	}
	if n := len(r.Events()); n != 1 {
		t.Errorf("%d events", n)
	}
}
