// Package service is what all init systems have in common: what can be done to a service, how a change is made in one piece,
// and which tracers run. How each init system does it is left to the subpackages.
package service

import (
	"context"
	"errors"
	"io/fs"
)

// Mode is how a service is watched.
type Mode string

// The modes.
const (
	Wrap   Mode = "wrap"   // it starts behind a tracer
	Attach Mode = "attach" // a tracer attaches to its processes
)

// Past is the word for a service in that mode.
func (m Mode) Past() string { return map[Mode]string{Wrap: "wrapped", Attach: "attached"}[m] }

// Entry is a watched service.
type Entry struct {
	Service string `json:"service"`
	Mode    Mode   `json:"mode"`
	Enabled bool   `json:"enabled"`        // at boot
	State   string `json:"state"`          // of the service, in the init system's own words
	Note    string `json:"note,omitempty"` // what is not as it should be
	PIDs    []int  `json:"processes"`      // of the service, tracers left out
	Own     bool   `json:"own,omitempty"`  // it is a command of /etc/cws
}

// File is a text that a change writes or an init system would make.
type File struct {
	Path string
	Text string
	Mode fs.FileMode
}

// Plan is what a change would do.
type Plan struct {
	Files []File
	Steps []string // commands, for people
	Notes []string
}

// System is an init system.
type System interface {
	Name() string
	// Plan works out a change without making it. An *Obstacle says why there can be none.
	Plan(ctx context.Context, name string, mode Mode) (*Plan, error)
	// Enable makes it, Disable takes it back; both may be repeated after they were interrupted.
	Enable(ctx context.Context, name string, mode Mode) error
	Disable(ctx context.Context, name string, mode Mode) error
	// List gives what is watched.
	List(ctx context.Context) ([]Entry, error)
}

// Forcible is an init system that refuses some services unless it is told to take them.
type Forcible interface{ Forced() System }

// ErrUnknown means that there is no such service.
var ErrUnknown = errors.New("there is no such service")

// Obstacle is why a service can't be watched in a mode; it stays as it is.
type Obstacle struct {
	Reason string
	Hint   string // what to do instead
}

func (o *Obstacle) Error() string { return o.Reason }
