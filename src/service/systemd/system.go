package systemd

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
	"github.com/ebpfless/ebpfless/src/unit"
)

// System is systemd as one of the init systems. It only enables and starts instances: the generator and the instances do
// the rest, as they do when the administrator uses systemctl.
type System struct {
	Host    Host
	Manager Manager
}

// Name implements service.System.
func (System) Name() string { return "systemd" }

// Forced implements service.Forcible.
func (s System) Forced() service.System {
	s.Host.Force = true
	return s
}

func instanceOf(name string, mode service.Mode) string {
	return map[service.Mode]string{service.Wrap: wrapPrefix, service.Attach: attachPrefix}[mode] + name + unit.Suffix
}

// Plan implements service.System.
func (s System) Plan(ctx context.Context, name string, mode service.Mode) (*service.Plan, error) {
	if err := unit.CheckName(name); err != nil {
		return nil, err
	}
	p := &service.Plan{Steps: []string{"systemctl enable " + instanceOf(name, mode), "systemctl start " + instanceOf(name, mode)}}
	if mode == service.Attach {
		return p, s.attachable(ctx, name)
	}
	dropIn, err := s.Host.Wrap(name)
	if errors.Is(err, ErrNotFound) {
		if dropIn, err = s.Host.Run(name); err != nil {
			err = Hook{Host: s.Host, Manager: s.Manager}.missing(ctx, name, err)
		}
	}
	if err != nil {
		return nil, err
	}
	p.Files = []service.File{{Path: filepath.Join("/run/systemd/generator", dropIn.Path), Text: dropIn.Text, Mode: 0o644}}
	if s.Host.Force {
		switch settings, err := s.Host.insisting(name); {
		case err != nil:
			return nil, err
		case settings != nil:
			p.Files = append(p.Files, *settings)
		}
	}
	if !strings.HasPrefix(dropIn.Service, wrapPrefix) {
		p.Steps = append(p.Steps, "which restarts "+dropIn.Service+unit.Suffix+" if it runs")
	}
	return p, nil
}

func (s System) attachable(ctx context.Context, name string) error {
	if err := s.Host.usable(); err != nil {
		return err
	}
	found, err := Hook{Host: s.Host, Manager: s.Manager}.unitOf(ctx, name)
	if err != nil || found != "" {
		return err
	}
	conf, err := s.Host.settings(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Hook{Host: s.Host, Manager: s.Manager}.missing(ctx, name, err)
	}
	if err == nil && conf.Match == "" {
		return &service.Obstacle{Reason: "its settings have no Match=, the program to look for", Hint: "add it to /etc/cws/" + name + ".conf"}
	}
	return err
}

// Enable implements service.System.
func (s System) Enable(ctx context.Context, name string, mode service.Mode) error {
	instance := instanceOf(name, mode)
	if mode == service.Wrap && s.Host.Force {
		if err := s.Host.insist(name); err != nil {
			return err
		}
	}
	if err := s.Manager.Do(ctx, instance, "enable", "--quiet"); err != nil {
		return err
	}
	if err := s.Manager.Do(ctx, instance, "start"); err != nil {
		return s.reason(ctx, instance, err)
	}
	return nil
}

// reason is what an instance has said of its failure, in place of systemctl's word that it failed.
func (s System) reason(ctx context.Context, instance string, failure error) error {
	shown, err := s.Manager.Show(context.WithoutCancel(ctx), instance, "StatusText")
	if text := shown["StatusText"]; err == nil && text != "" {
		return errors.New(text)
	}
	return fmt.Errorf("%w; journalctl -u %s tells more", failure, instance)
}

// Disable implements service.System. What fails keeps nothing else from being taken back.
func (s System) Disable(ctx context.Context, name string, mode service.Mode) error {
	instance := instanceOf(name, mode)
	failures := []error{s.Manager.Do(ctx, instance, "disable", "--quiet"), s.Manager.Do(ctx, instance, "stop")}
	s.Manager.Do(ctx, instance, "reset-failed") // it may not have failed
	if mode == service.Wrap {
		// An instance that failed is not stopped, and would leave its note.
		failures = append(failures, s.Host.forget(name), s.Host.relent(name))
	}
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

// List implements service.System.
func (s System) List(ctx context.Context) ([]service.Entry, error) {
	var entries []service.Entry
	for _, mode := range []service.Mode{service.Wrap, service.Attach} {
		prefix := strings.TrimSuffix(instanceOf("", mode), unit.Suffix)
		enabled, err := s.Host.Enabled(prefix)
		if err != nil {
			return nil, err
		}
		active, err := s.active(ctx, prefix)
		if err != nil {
			return nil, err
		}
		names := slices.Concat(enabled, active)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			entry, err := s.entry(ctx, name, mode, slices.Contains(active, name))
			if err != nil {
				return nil, err
			}
			entry.Enabled = slices.Contains(enabled, name)
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// active lists the instances that run. They are picked out here, because list-units takes no pattern before version 209.
func (s System) active(ctx context.Context, prefix string) ([]string, error) {
	out, err := s.Manager.run(ctx, "list-units", "--no-legend", "--no-pager", "--plain", "--full", "--type=service", "--state=active,activating")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); len(fields) > 0 && strings.HasPrefix(fields[0], prefix) {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(fields[0], prefix), unit.Suffix))
		}
	}
	return names, nil
}

// entry finds out how a service stands.
func (s System) entry(ctx context.Context, name string, mode service.Mode, active bool) (service.Entry, error) {
	entry := service.Entry{Service: name, Mode: mode}
	found, err := Hook{Host: s.Host, Manager: s.Manager}.unitOf(ctx, name)
	if err != nil {
		entry.Note = err.Error()
		return entry, nil
	}
	if found == "" {
		found, entry.Own = instanceOf(name, mode), true
	}
	shown, err := s.Manager.Show(ctx, found, "ActiveState", "SubState", "ControlGroup", "DropInPaths")
	if err != nil {
		return entry, err
	}
	entry.State = shown["ActiveState"] + " (" + shown["SubState"] + ")"
	all, err := Processes(shown["ControlGroup"])
	if err != nil {
		return entry, err
	}
	for _, pid := range all {
		if exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || !strings.Contains(exe, "cws-instrumentation") {
			entry.PIDs = append(entry.PIDs, pid)
		}
	}
	switch {
	case !active:
		entry.Note = "not started: systemctl start " + instanceOf(name, mode)
	case mode == service.Wrap && !strings.Contains(shown["DropInPaths"], "-cws-wrap.conf"):
		entry.Note = "plain: systemctl restart " + instanceOf(name, mode) + " says why"
	}
	return entry, nil
}
