package sysvinit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/service"
)

// runlevels are the folders of links, Debian's and Red Hat's (where /etc/rc2.d leads to /etc/rc.d/rc2.d).
func (s System) runlevels() []string {
	for _, pattern := range []string{"/etc/rc.d/rc[0-6S].d", "/etc/rc[0-6S].d"} {
		if folders, _ := filepath.Glob(s.path(pattern)); len(folders) > 0 {
			return folders
		}
	}
	return nil
}

// link is a script's place in a runlevel: /etc/rc2.d/S01nginx, and where it leads to.
type link struct{ Path, Target string }

func (l link) starts() bool { return strings.HasPrefix(filepath.Base(l.Path), "S") }
func (l link) level() string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(filepath.Dir(l.Path)), "rc"), ".d")
}

// levels are the runlevels of those links that start, or stop.
func levels(links []link, start bool) []string {
	var list []string
	for _, l := range links {
		if l.starts() == start && !slices.Contains(list, l.level()) {
			list = append(list, l.level())
		}
	}
	slices.Sort(list)
	return list
}

// links lists the places of a script.
func (s System) links(script string) ([]link, error) {
	all, err := s.allLinks()
	return slices.DeleteFunc(all, func(l link) bool {
		base := filepath.Base(l.Path)
		return len(base) < 4 || base[3:] != script || base[0] != 'S' && base[0] != 'K'
	}), err
}

func (s System) allLinks() ([]link, error) {
	var list []link
	for _, folder := range s.runlevels() {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return nil, fmt.Errorf("list runlevels: %w", err)
		}
		for _, entry := range entries {
			path := filepath.Join(folder, entry.Name())
			if target, err := os.Readlink(path); err == nil {
				list = append(list, link{path, target})
			}
		}
	}
	return list, nil
}

// place is what a service had before it was wrapped, kept until it is unwrapped.
type place struct {
	Links   []link            // of the service
	All     []link            // of everybody
	Cache   map[string]string // what insserv(8) works out of the headers, by path
	Running bool
	// Done is set when the change was complete.
	Done bool
}

func (s System) stateFile(name string, mode service.Mode) string {
	return s.path(stateDir, ours(name, mode)+".json")
}

// remember writes the places down. What an earlier, interrupted change wrote down is the truth.
func (s System) remember(name string, mode service.Mode) error {
	before, err := s.recall(name, mode)
	if err != nil || before != nil {
		return err
	}
	p := place{Cache: map[string]string{}, Running: s.run(context.Background(), name, "status") == nil}
	if p.Links, err = s.links(name); err != nil {
		return err
	}
	if p.All, err = s.allLinks(); err != nil {
		return err
	}
	files, _ := filepath.Glob(s.script(".depend.*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("remember the runlevels: %w", err)
		}
		p.Cache[file] = string(text)
	}
	return s.keep(name, mode, &p)
}

func (s System) keep(name string, mode service.Mode, p *place) error {
	text, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.path(stateDir), 0o700); err != nil {
		return fmt.Errorf("remember the runlevels: %w", err)
	}
	return service.Write(service.File{Path: s.stateFile(name, mode), Text: string(text) + "\n", Mode: 0o600})
}

// recall reads what was written down; nil when there is nothing.
func (s System) recall(name string, mode service.Mode) (*place, error) {
	text, err := os.ReadFile(s.stateFile(name, mode))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recall the runlevels: %w", err)
	}
	var p place
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("recall the runlevels: %s: %w", s.stateFile(name, mode), err)
	}
	return &p, nil
}

// takeOver gives a service's places to our script, by the distribution's own tool where there is one.
func (s System) takeOver(ctx context.Context, name string, mode service.Mode) error {
	was, err := s.recall(name, mode)
	if err != nil {
		return err
	}
	made := ours(name, mode)
	if mode == service.Wrap {
		if err := s.leave(ctx, name); err != nil {
			return err
		}
	}
	if err := s.enter(ctx, made); err != nil {
		return err
	}
	if mode == service.Wrap && len(was.Links) > 0 && s.tool() != "update-rc.d" {
		// The same numbers as the service had: chkconfig goes by headers, and who edited links meant it.
		if err := s.exactly(made, renamed(was.Links, name, made)); err != nil {
			return err
		}
	}
	was.Done = true
	return s.keep(name, mode, was)
}

// giveBack undoes takeOver, and makes the places exactly what they were.
func (s System) giveBack(ctx context.Context, name string, mode service.Mode) error {
	made := ours(name, mode)
	if err := s.leave(ctx, made); err != nil {
		return err
	}
	if err := os.Remove(s.script(made)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove script: %w", err)
	}
	was, err := s.recall(name, mode)
	if err != nil || was == nil {
		return err
	}
	if mode == service.Wrap && exists(s.script(name)) {
		if len(was.Links) > 0 {
			if err := s.enter(ctx, name); err != nil {
				return err
			}
		}
		if err := s.exactly(name, was.Links); err != nil {
			return err
		}
	}
	if err := s.restore(was); err != nil {
		return err
	}
	if err := os.Remove(s.stateFile(name, mode)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the runlevels: %w", err)
	}
	os.Remove(s.path(stateDir)) // stays while there are others
	return nil
}

// restore puts insserv's cache back if the runlevels are what it was made for.
func (s System) restore(was *place) error {
	now, err := s.allLinks()
	if err != nil || !slices.Equal(now, was.All) {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(was.Cache)) {
		if err := service.Write(service.File{Path: path, Text: was.Cache[path], Mode: 0o644}); err != nil {
			return err
		}
	}
	return nil
}

func renamed(links []link, from, to string) []link {
	list := make([]link, len(links))
	for i, l := range links {
		list[i] = link{strings.TrimSuffix(l.Path, from) + to, strings.TrimSuffix(l.Target, from) + to}
	}
	return list
}

// exactly makes a script's places those and no others.
func (s System) exactly(script string, wanted []link) error {
	have, err := s.links(script)
	if err != nil {
		return err
	}
	for _, l := range have {
		if !slices.Contains(wanted, l) {
			if err := os.Remove(l.Path); err != nil {
				return fmt.Errorf("change runlevels: %w", err)
			}
		}
	}
	for _, l := range wanted {
		if !slices.Contains(have, l) {
			if err := os.Symlink(l.Target, l.Path); err != nil {
				return fmt.Errorf("change runlevels: %w", err)
			}
		}
	}
	return nil
}

// tools change runlevels: how a script enters, and how it leaves.
var tools = map[string]struct{ enter, leave []string }{
	"update-rc.d": {enter: []string{"NAME", "defaults"}, leave: []string{"-f", "NAME", "remove"}},
	"chkconfig":   {enter: []string{"--add", "NAME"}, leave: []string{"--del", "NAME"}},
}

// tool is the one of this host; empty where links are all there is.
func (s System) tool() string {
	for _, name := range []string{"update-rc.d", "chkconfig"} {
		for _, folder := range []string{"/usr/sbin", "/sbin"} {
			if exists(s.path(folder, name)) {
				return name
			}
		}
	}
	return ""
}

func (s System) enter(ctx context.Context, script string) error {
	if name := s.tool(); name != "" {
		return s.call(ctx, name, tools[name].enter, script)
	}
	return nil
}

func (s System) leave(ctx context.Context, script string) error {
	if name := s.tool(); name != "" && exists(s.script(script)) {
		return s.call(ctx, name, tools[name].leave, script)
	}
	return s.exactly(script, nil)
}

// call runs a tool. What it complains about counts only if it fails.
func (s System) call(ctx context.Context, name string, args []string, script string) error {
	args = slices.Clone(args)
	args[slices.Index(args, "NAME")] = script
	path := s.path("/usr/sbin", name)
	if !exists(path) {
		path = s.path("/sbin", name)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return nil
}
