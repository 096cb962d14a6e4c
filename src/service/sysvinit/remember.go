package sysvinit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/ebpfless/ebpfless/src/service"
)

// place is what a service had before it was wrapped, kept until it is unwrapped.
type place struct {
	Links   []link
	Running bool
	// Done is set when the change was complete.
	Done bool
}

// order is what all services had before the first of them was wrapped. The tools number others anew, too, and not always
// as they were before.
type order struct {
	Links []link
	Cache map[string]string // what insserv(8) has worked out, by path
}

// orderFile holds the order of all.
const orderFile = stateDir + "/order.json"

func (s System) stateFile(name string, mode service.Mode) string {
	return s.path(stateDir, ours(name, mode)+".json")
}

// remember writes the places down. What an earlier, interrupted change wrote down is the truth.
func (s System) remember(name string, mode service.Mode) error {
	before, err := s.recall(name, mode)
	if err != nil || before != nil {
		return err
	}
	p := place{Running: s.run(context.Background(), name, "status") == nil}
	if p.Links, err = s.links(name); err != nil {
		return err
	}
	if err := s.rememberOrder(); err != nil {
		return err
	}
	return s.keep(s.stateFile(name, mode), &p)
}

func (s System) rememberOrder() error {
	if exists(s.path(orderFile)) {
		return nil
	}
	all, err := s.allLinks()
	if err != nil {
		return err
	}
	o := order{Links: all, Cache: map[string]string{}}
	files, _ := filepath.Glob(s.script(".depend.*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("remember the runlevels: %w", err)
		}
		o.Cache[file] = string(text)
	}
	return s.keep(s.path(orderFile), &o)
}

func (s System) keep(file string, what any) error {
	text, err := json.MarshalIndent(what, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.path(stateDir), 0o700); err != nil {
		return fmt.Errorf("remember the runlevels: %w", err)
	}
	return service.Write(service.File{Path: file, Text: string(text) + "\n", Mode: 0o600})
}

// recall reads what was written down of a service; nil when there is nothing.
func (s System) recall(name string, mode service.Mode) (*place, error) {
	return read[place](s.stateFile(name, mode))
}

func read[T any](file string) (*T, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recall the runlevels: %w", err)
	}
	var what T
	if err := json.Unmarshal(text, &what); err != nil {
		return nil, fmt.Errorf("recall the runlevels: %s: %w", file, err)
	}
	return &what, nil
}

// complete writes down that a change was made to its end, unless it failed.
func (s System) complete(name string, mode service.Mode, failed error) error {
	if failed != nil {
		return failed
	}
	was, err := s.recall(name, mode)
	if err != nil || was == nil {
		return err
	}
	was.Done = true
	return s.keep(s.stateFile(name, mode), was)
}

// forget ends what remember began.
func (s System) forget(name string, mode service.Mode) error {
	if err := os.Remove(s.stateFile(name, mode)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the runlevels: %w", err)
	}
	if err := s.endRedirect(); err != nil {
		return err
	}
	return s.restoreOrder()
}

// restoreOrder puts the numbers and insserv's cache back when no service is watched any more, and the same services have
// places as before the first one was.
func (s System) restoreOrder() error {
	file := s.path(orderFile)
	if others, _ := filepath.Glob(s.path(stateDir, "cws-*.json")); len(others) > 0 {
		return nil
	}
	was, err := read[order](file)
	if err != nil || was == nil {
		return err
	}
	now, err := s.allLinks()
	if err != nil {
		return err
	}
	if slices.Equal(unnumbered(now), unnumbered(was.Links)) {
		if err := s.renumber(now, was); err != nil {
			return err
		}
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("forget the runlevels: %w", err)
	}
	os.Remove(s.path(stateDir))
	return nil
}

func (s System) renumber(now []link, was *order) error {
	if err := change(now, was.Links); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(was.Cache)) {
		if err := service.Write(service.File{Path: path, Text: was.Cache[path], Mode: 0o644}); err != nil {
			return err
		}
	}
	return nil
}
