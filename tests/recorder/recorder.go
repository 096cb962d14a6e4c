// Package recorder is a probe that keeps every message that tracers send to it; what the messages should be is left to
// others.
package recorder

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/wire"
)

// Recorder listens on a port of its own. Use it from any goroutine.
type Recorder struct {
	listener net.Listener
	answer   *event.Answer
	kinds    event.Set // that are kept

	lock     sync.Mutex
	changed  chan struct{} // closed and replaced whenever something below changes
	hellos   []event.Hello
	events   []event.Event
	dropped  uint64
	failures []error
	conns    map[net.Conn]bool
	open     int
	seen     int // connections ever
}

// Start listens on 127.0.0.1. It answers each hello with answer and each event with its receipt, or like Datadog's probe
// nothing at all when answer is nil.
func Start(answer *event.Answer) (*Recorder, error) {
	return StartAt("127.0.0.1:0", answer, event.Everything)
}

// StartAt is Start on a given address, keeping only some kinds of events: a load makes more of them than memory holds.
func StartAt(addr string, answer *event.Answer, kinds event.Set) (*Recorder, error) {
	listener, err := net.Listen("tcp4", addr)
	if err != nil {
		return nil, fmt.Errorf("start recorder: %w", err)
	}
	r := &Recorder{listener: listener, answer: answer, kinds: kinds, changed: make(chan struct{}), conns: map[net.Conn]bool{}}
	go r.serve()
	return r, nil
}

// Addr is the host:port that a tracer must be given.
func (r *Recorder) Addr() string { return r.listener.Addr().String() }

// Close ends listening. Connections end when their tracers end them.
func (r *Recorder) Close() error { return r.listener.Close() }

// Abort ends listening and every connection, as a probe that is killed does. What has come until now is kept.
func (r *Recorder) Abort() {
	r.listener.Close()
	r.lock.Lock()
	defer r.lock.Unlock()
	for conn := range r.conns {
		conn.Close()
	}
}

func (r *Recorder) serve() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.note(func() { r.open++; r.seen++; r.conns[conn] = true })
		go r.read(conn)
	}
}

func (r *Recorder) read(conn net.Conn) {
	defer conn.Close()
	defer r.note(func() { r.open--; delete(r.conns, conn) })
	reader := wire.NewReader(bufio.NewReader(conn))
	for {
		message, err := reader.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
				r.note(func() { r.failures = append(r.failures, err) })
			}
			return
		}
		r.keep(conn, &message)
	}
}

func (r *Recorder) keep(conn net.Conn, m *event.Message) {
	if r.answer != nil && m.Hello != nil && len(m.Hello.Accepts) > 0 {
		r.reply(conn, r.answer)
	} else if r.answer != nil && m.Seq > 0 {
		r.reply(conn, &event.Answer{Ack: m.Seq})
	}
	if m.Event != nil && !r.kinds.Has(m.Event.Kind) && m.Event.Kind != event.Unknown {
		return
	}
	r.note(func() {
		r.dropped = max(r.dropped, m.Dropped)
		if m.Hello != nil {
			r.hellos = append(r.hellos, *m.Hello)
		}
		if m.Event != nil {
			r.events = append(r.events, *m.Event)
		}
	})
}

// reply may fail when the tracer has already left: what it needed to know came before.
func (r *Recorder) reply(conn net.Conn, answer *event.Answer) {
	frame, err := wire.AppendAnswer(nil, answer)
	if err != nil {
		r.note(func() { r.failures = append(r.failures, err) })
		return
	}
	conn.Write(frame)
}

// note changes what is kept, and wakes those who wait.
func (r *Recorder) note(change func()) {
	r.lock.Lock()
	defer r.lock.Unlock()
	change()
	close(r.changed)
	r.changed = make(chan struct{})
}

// Events are all that have come until now, in the order of their coming.
func (r *Recorder) Events() []event.Event {
	r.lock.Lock()
	defer r.lock.Unlock()
	return slices.Clone(r.events)
}

// Hellos are the greetings of all connections.
func (r *Recorder) Hellos() []event.Hello {
	r.lock.Lock()
	defer r.lock.Unlock()
	return slices.Clone(r.hellos)
}

// Err tells what could not be read, and how many events a tracer said that it lost.
func (r *Recorder) Err() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	failures := r.failures
	if r.dropped > 0 {
		failures = append(slices.Clone(failures), fmt.Errorf("the tracer dropped %d events", r.dropped))
	}
	return errors.Join(failures...)
}

// Dropped is how many events the tracer said that it lost.
func (r *Recorder) Dropped() uint64 {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.dropped
}

// WaitEvent waits until an event has come for which is holds.
func (r *Recorder) WaitEvent(limit time.Duration, is func(*event.Event) bool) error {
	return r.wait(limit, "an event", func() bool {
		return slices.ContainsFunc(r.events, func(e event.Event) bool { return is(&e) })
	})
}

// WaitGone waits until a tracer has come and all have gone.
func (r *Recorder) WaitGone(limit time.Duration) error {
	return r.wait(limit, "the tracer to leave", func() bool { return r.seen > 0 && r.open == 0 })
}

func (r *Recorder) wait(limit time.Duration, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		r.lock.Lock()
		done, changed := holds(), r.changed
		r.lock.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: not within %v", what, limit)
		}
	}
}
