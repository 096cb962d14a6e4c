package sysvinit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	if mode == service.Wrap && exists(s.script(name)) && s.tool() != "update-rc.d" {
		// The same numbers as the service had, or none: chkconfig goes by headers, and who edited links meant it.
		if err := s.exactly(made, renamed(was.Links, name, made)); err != nil {
			return err
		}
	}
	return nil
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
		return s.exactly(name, was.Links)
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
