package sinks

import (
	"errors"

	"github.com/ebpfless/ebpfless/src/probe"
)

// Several are sinks side by side; a slow one doesn't hold up the others.
type Several []*Sink

// Put gives each a detection, which must not be changed any more.
func (s Several) Put(d *probe.Detection) {
	for _, sink := range s {
		sink.Put(d)
	}
}

// Close writes what is queued and reports what was lost.
func (s Several) Close() error {
	var all []error
	for _, sink := range s {
		all = append(all, sink.Close())
	}
	return errors.Join(all...)
}
