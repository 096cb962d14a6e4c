package systemd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	systemdunit "github.com/coreos/go-systemd/v22/unit"
	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
)

// DropIn puts a service behind a tracer.
type DropIn struct {
	// Service is the real name, without suffix.
	Service string
	// Path is below a folder of units.
	Path string
	Text string
}

// head says where the file comes from; %[1]s is the instance's own name.
const head = `# Made by cws-generator for %[1]s: the service runs behind a tracer.
# "systemctl disable --now %[1]s" takes it away. Changes here are lost at the next reload.
`

// Wrap works out the drop-in for a service that an instance names. A *service.Obstacle says why there can be none.
func (h Host) Wrap(instance string) (*DropIn, error) {
	instance = strings.TrimSuffix(instance, unit.Suffix)
	loaded, err := h.resolve(instance)
	if err != nil {
		return nil, err
	}
	if err := h.usable(); err != nil {
		return nil, err
	}
	return h.behind(instance, loaded)
}

// resolve finds the service that an instance means.
func (h Host) resolve(instance string) (*Loaded, error) {
	if err := unit.CheckName(instance); err != nil {
		return nil, err
	}
	var first error
	for _, name := range unit.Unescaped(instance) {
		loaded, err := h.Load(name)
		if err == nil {
			return loaded, nil
		}
		if first == nil {
			first = fmt.Errorf("%s%s: %w", instance, unit.Suffix, err)
		}
		if !errors.Is(err, ErrNotFound) {
			break
		}
	}
	return nil, first
}

// usable tells whether there is a tracer. A service must not be put behind a program that isn't there.
func (h Host) usable() error {
	st, err := os.Stat(h.path(h.Tracer))
	if err == nil && (!st.Mode().IsRegular() || st.Mode()&0o111 == 0) {
		err = fmt.Errorf("%s is no program", h.Tracer)
	}
	if err != nil {
		return &service.Obstacle{Reason: fmt.Sprintf("there is no tracer: %v", err), Hint: "install the package cws-instrumentation"}
	}
	return nil
}

func (h Host) behind(instance string, loaded *Loaded) (*DropIn, error) {
	if err := h.check(loaded); err != nil {
		return nil, err
	}
	commands, err := commands(loaded)
	if err != nil {
		return nil, &service.Obstacle{Reason: err.Error(), Hint: "see systemctl cat " + loaded.Name}
	}
	if err := h.unasked(instance, loaded); err != nil { // last: insisting helps against nothing else
		return nil, err
	}
	file, err := lastName(loaded)
	if err != nil {
		return nil, err
	}
	text, err := h.text(loaded, commands)
	if err != nil {
		return nil, err
	}
	return &DropIn{
		Service: loaded.Name,
		Path:    filepath.Join(loaded.Name+unit.Suffix+".d", file),
		Text:    fmt.Sprintf(head, wrapPrefix+instance) + text,
	}, nil
}

// check looks for what keeps the service from being wrapped.
func (h Host) check(loaded *Loaded) error {
	if loaded.Name == Probe || strings.HasPrefix(loaded.Name, wrapPrefix) || strings.HasPrefix(loaded.Name, attachPrefix) {
		return &service.Obstacle{Reason: "it is part of the tracing itself", Hint: "name a service of your own"}
	}
	for _, look := range obstacles {
		if reason := look(h, loaded.File); reason != "" {
			return &service.Obstacle{Reason: reason, Hint: outside(loaded.Name)}
		}
	}
	return nil
}

// commands reads what the service executes.
func commands(loaded *Loaded) ([]unit.Command, error) {
	var all []unit.Command
	for _, line := range loaded.All("Service", "ExecStart") {
		some, err := unit.Commands(line)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	does := func(c unit.Command) bool { return filepath.Base(c.Path) != "true" }
	switch {
	case len(all) == 0:
		return nil, errors.New("ExecStart= is missing: it starts no process")
	case !slices.ContainsFunc(all, does):
		return nil, errors.New("ExecStart= does nothing: the service only stands for others, name those")
	case slices.ContainsFunc(all, func(c unit.Command) bool { return filepath.Base(c.Path) == "cws-instrumentation" }):
		return nil, errors.New("ExecStart= is behind a tracer already")
	}
	return all, nil
}

// lastName is a file name that sorts after all drop-ins there are, so that their ExecStart= does not win over ours.
func lastName(loaded *Loaded) (string, error) {
	name := "zz-cws-wrap.conf"
	for _, path := range loaded.DropIns {
		for tries := 0; name <= filepath.Base(path); tries++ {
			if tries == 8 {
				return "", &service.Obstacle{Reason: fmt.Sprintf("no name sorts after that of the drop-in %s", path), Hint: "rename it"}
			}
			name = "~" + name
		}
	}
	return name, nil
}

// text is the drop-in without its head.
func (h Host) text(loaded *Loaded, commands []unit.Command) (string, error) {
	var options []*systemdunit.UnitOption
	set := func(section, key, value string) {
		options = append(options, systemdunit.NewUnitOption(section, key, value))
	}
	early := startsEarly(loaded.File)
	if !early {
		set("Unit", "Wants", Probe+unit.Suffix)
		set("Unit", "After", Probe+unit.Suffix)
	}
	tracer, err := h.reach(loaded.File, set)
	if err != nil {
		return "", err
	}
	if guesses(loaded.File) {
		tell(loaded.File, set)
	}
	flags := h.flags(tracer, early, loaded.File)
	set("Service", "ExecStart", "")
	for _, command := range commands {
		if tracer != guest { // in a root folder of its own there are other programs
			command = h.search(loaded.File, command)
		}
		line, err := h.line(flags, loaded.File, command)
		if err != nil {
			return "", err
		}
		set("Service", "ExecStart", line)
	}
	if loaded.Last("Service", "KillMode") == "mixed" && !h.Original { // else what the tracer has not sent yet dies with it
		set("Service", "ExecStopPost", "-"+tracer+" drain")
	}
	text, err := io.ReadAll(systemdunit.Serialize(options))
	return string(text) + "\n", err
}

// late are targets that the probe is not ordered after.
var late = []string{"multi-user.target", "graphical.target", "shutdown.target", "default.target"}

// startsEarly tells services that may be part of what the probe waits for. Ordering them after the probe could close a
// circle, which systemd breaks by leaving something out of the boot; so they start at once, and the tracer connects later.
func startsEarly(s unit.File) bool {
	if off, valid := unit.Boolean(s.Last("Unit", "DefaultDependencies")); valid && !off {
		return true
	}
	return slices.ContainsFunc(words(s.All("Unit", "Before")), func(name string) bool {
		return name == Probe+unit.Suffix || strings.HasSuffix(name, ".target") && !slices.Contains(late, name)
	})
}

// flags are what all commands of a service get: the tracer with what stands before the command.
func (h Host) flags(tracer string, early bool, s unit.File) []string {
	words := []string{tracer, "trace"}
	switch {
	case h.ProbeAddr != "":
		words = append(words, "--probe-addr", h.ProbeAddr)
	case tracer == guest: // no /etc/hosts there to look localhost up in
		words = append(words, "--probe-addr", "127.0.0.1:5678")
	}
	switch {
	case early:
		words = append(words, "--async")
	case !h.Original:
		words = append(words, "--wait", wait(s).String())
	}
	if guesses(s) {
		words = append(words, "--notify-main-pid")
	}
	return words
}

// line puts one command behind the tracer.
func (h Host) line(flags []string, s unit.File, command unit.Command) (string, error) {
	if command.Argv0 != "" && h.Original {
		return "", &service.Obstacle{Reason: "ExecStart=@ gives the process a name, which only our own tracer can", Hint: "install cws-instrumentation"}
	}
	if owner := h.owner(s); owner != nil && !strings.ContainsAny(command.Prefix, "+!") {
		command.Prefix += "!"
		flags = append(slices.Clip(flags), "--uid", owner.uid, "--gid", owner.gid)
	}
	return command.Behind(flags...), nil
}
