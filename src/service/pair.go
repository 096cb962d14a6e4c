package service

import "context"

// Pair is a host whose services belong to either of two init systems: upstart's are jobs, and scripts where there is no job.
type Pair struct {
	First interface {
		System
		// Knows tells whether a service is the first's.
		Knows(name string) bool
	}
	Second System
}

// Name implements System.
func (p Pair) Name() string { return p.First.Name() }

func (p Pair) of(name string) System {
	if p.First.Knows(name) {
		return p.First
	}
	return p.Second
}

// Plan implements System.
func (p Pair) Plan(ctx context.Context, name string, mode Mode) (*Plan, error) {
	return p.of(name).Plan(ctx, name, mode)
}

// Enable implements System.
func (p Pair) Enable(ctx context.Context, name string, mode Mode) error {
	return p.of(name).Enable(ctx, name, mode)
}

// Disable implements System.
func (p Pair) Disable(ctx context.Context, name string, mode Mode) error {
	return p.of(name).Disable(ctx, name, mode)
}

// List implements System.
func (p Pair) List(ctx context.Context) ([]Entry, error) {
	entries, err := p.First.List(ctx)
	if err != nil {
		return nil, err
	}
	others, err := p.Second.List(ctx)
	return append(entries, others...), err
}
