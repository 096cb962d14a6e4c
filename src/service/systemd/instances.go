package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
)

// switches holds a file for each instance of cws-wrap@ that was started or stopped since the boot: on or off, whatever is
// enabled for the next one.
const switches = "/run/cws/wrap"

const (
	on  = "on\n"
	off = "off\n"
)

// Wrapped lists the instances of cws-wrap@ that are in force: enabled or started, and not stopped.
func (h Host) Wrapped() ([]string, error) {
	set := map[string]bool{}
	enabled, err := h.Enabled(wrapPrefix)
	if err != nil {
		return nil, err
	}
	for _, instance := range enabled {
		set[instance] = true
	}
	entries, err := os.ReadDir(h.path(switches))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list started instances: %w", err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(h.path(switches, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("list started instances: %w", err)
		}
		set[entry.Name()] = string(text) == on
	}
	var names []string
	for name, isOn := range set {
		if isOn && unit.CheckName(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Enabled lists the instances of a template that something wants or requires at boot.
func (h Host) Enabled(prefix string) ([]string, error) {
	var names []string
	for _, folder := range folders {
		for _, kind := range []string{"wants", "requires"} {
			links, err := filepath.Glob(h.path(folder, "*."+kind, prefix+"*"+unit.Suffix))
			if err != nil {
				return nil, fmt.Errorf("list enabled instances: %w", err)
			}
			for _, link := range links {
				name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(link), prefix), unit.Suffix)
				if name != "" && !slices.Contains(names, name) && !h.masked(prefix+name) {
					names = append(names, name)
				}
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

func (h Host) masked(service string) bool {
	_, _, err := h.find(service)
	return errors.Is(err, ErrMasked)
}

// Switch turns an instance on or off until the next boot.
func (h Host) Switch(instance string, wanted bool) error {
	enabled, err := h.Enabled(wrapPrefix)
	if err != nil {
		return err
	}
	path := h.path(switches, instance)
	if !wanted && !slices.Contains(enabled, instance) {
		return h.forget(instance)
	}
	text := off
	if wanted {
		text = on
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("note what was started: %w", err)
	}
	return service.Write(service.File{Path: path, Text: text, Mode: 0o644})
}

// forget leaves the decision to what is enabled.
func (h Host) forget(instance string) error {
	err := os.Remove(h.path(switches, instance))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget what was started: %w", err)
	}
	os.Remove(h.path(switches)) // stays while there are others
	return nil
}
