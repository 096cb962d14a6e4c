// Package sinks is where detections go: one file per output, each behind a bounded queue so that a slow one holds nobody up.
package sinks

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/ebpfless/ebpfless/src/probe"
)

// DefaultPath is where the packaged probe writes its detections.
const DefaultPath = "/var/log/datadog/runtime-security.json"

// Writer writes one detection.
type Writer interface {
	Write(*probe.Detection) error
}

// queueLength is how many detections may wait for a slow output.
const queueLength = 1024

// Sink queues detections for one output.
type Sink struct {
	name    string
	queue   chan *probe.Detection
	done    chan struct{}
	once    sync.Once
	dropped atomic.Uint64
	failed  atomic.Pointer[error]
}

// New starts a sink. Its writer is used by one goroutine only.
func New(name string, w Writer) *Sink {
	s := &Sink{name: name, queue: make(chan *probe.Detection, queueLength), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for d := range s.queue {
			if err := w.Write(d); err != nil {
				s.failed.Store(&err)
				s.dropped.Add(1)
			}
		}
	}()
	return s
}

// Put queues a detection; when the queue is full it is dropped and counted.
func (s *Sink) Put(d *probe.Detection) {
	select {
	case s.queue <- d:
	default:
		s.dropped.Add(1)
	}
}

// Close writes what is queued and reports what was lost. Put must not be called any more.
func (s *Sink) Close() error {
	s.once.Do(func() { close(s.queue) })
	<-s.done
	n := s.dropped.Load()
	if n == 0 {
		return nil
	}
	if err := s.failed.Load(); err != nil {
		return fmt.Errorf("write to %s: %d detections lost: %w", s.name, n, *err)
	}
	return fmt.Errorf("write to %s: %d detections lost: it was too slow", s.name, n)
}

// Lines writes detections as lines of JSON.
type Lines struct{ Out io.Writer }

// Write implements Writer.
func (l Lines) Write(d *probe.Detection) error {
	b, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode detection: %w", err)
	}
	_, err = l.Out.Write(append(b, '\n'))
	return err
}
