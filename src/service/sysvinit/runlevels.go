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
	return s.keep(s.stateFile(name, mode), was)
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
	if err := os.Remove(s.stateFile(name, mode)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget the runlevels: %w", err)
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

// unnumbered are the places without their numbers: rc2.d S nginx.
func unnumbered(links []link) []string {
	var list []string
	for _, l := range links {
		if base := filepath.Base(l.Path); len(base) > 3 {
			list = append(list, l.level()+base[:1]+base[3:])
		}
	}
	slices.Sort(list)
	return list
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
	return change(have, wanted)
}

// change makes some links others.
func change(have, wanted []link) error {
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
