package systemd

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/settings"
	units "github.com/ebpfless/ebpfless/src/unit"
)

// plain undoes what cws-wrap@.service has for itself only: an instance that runs a command is a service like any other.
var plain = []struct{ section, key, value string }{
	{"Unit", "DefaultDependencies", "yes"},
	{"Service", "RemainAfterExit", "no"},
	{"Service", "ExecStopPost", ""},
	{"Service", "NotifyAccess", "none"},
	{"Service", "TimeoutSec", "90"},
	{"Service", "CapabilityBoundingSet", "~"},
	{"Service", "NoNewPrivileges", "no"},
	{"Service", "PrivateNetwork", "no"},
	{"Service", "PrivateTmp", "no"},
	{"Service", "ProtectHome", "no"},
	{"Service", "ProtectSystem", "no"},
	{"Service", "RestrictAddressFamilies", ""},
}

// settings reads what /etc/cws has for an instance.
func (h Host) settings(instance string) (*settings.Settings, error) {
	if err := units.CheckName(instance); err != nil {
		return nil, err
	}
	return settings.Read(h.path(settings.Folder, instance+settings.Suffix))
}

// Run works out the drop-in with which an instance of cws-wrap@ runs a command of its own.
func (h Host) Run(instance string) (*DropIn, error) {
	s, err := h.settings(instance)
	if err != nil {
		return nil, err
	}
	if s.Command == "" {
		return nil, &service.Obstacle{Reason: "its settings have no Command=: there is nothing to start", Hint: outside(instance)}
	}
	if err := h.usable(); err != nil {
		return nil, err
	}
	var options []*unit.UnitOption
	set := func(section, key, value string) {
		options = append(options, unit.NewUnitOption(section, key, value))
	}
	set("Unit", "Description", instance+" behind a tracer")
	set("Unit", "Wants", Probe+units.Suffix)
	set("Unit", "After", Probe+units.Suffix+" network.target")
	for _, line := range plain {
		set(line.section, line.key, line.value)
	}
	set("Service", "Type", "simple")
	file := units.File{}
	for _, other := range s.Others {
		set("Service", other.Key, other.Value)
		file = append(file, units.Assignment{Section: "Service", Key: other.Key, Value: other.Value})
	}
	command, err := units.Commands(strings.TrimSpace(s.Command + " " + s.Arguments))
	if err != nil {
		return nil, err
	}
	line, err := h.line(h.flags(h.Tracer, false, file), file, command[0])
	if err != nil {
		return nil, err
	}
	set("Service", "ExecStart", "")
	set("Service", "ExecStart", line)
	text, err := io.ReadAll(unit.Serialize(options))
	name := wrapPrefix + instance
	return &DropIn{
		Service: name,
		Path:    filepath.Join(name+units.Suffix+".d", "zz-cws-wrap.conf"),
		Text:    fmt.Sprintf("# Made by cws-generator from %s/%s%s.\n", settings.Folder, instance, settings.Suffix) + string(text) + "\n",
	}, err
}

// Own lists what /etc/cws has a command for and no unit.
func (h Host) Own() ([]string, error) {
	files, err := filepath.Glob(h.path(settings.Folder, "*"+settings.Suffix))
	if err != nil {
		return nil, fmt.Errorf("list settings: %w", err)
	}
	var names []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), settings.Suffix)
		_, _, err := h.find(name)
		s, readErr := h.settings(name)
		if errors.Is(err, ErrNotFound) && (readErr != nil || s.Command != "") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
