// Package sysvinit protects services that init scripts start: a script of ours takes a script's place in the runlevels and
// runs it behind a tracer. The script itself is not touched, and its links come back as they were.
package sysvinit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/follow"
	"github.com/ebpfless/ebpfless/src/service/settings"
	"github.com/ebpfless/ebpfless/src/unit"
)

// System is a host with init scripts.
type System struct {
	// Root stands before every path; tests put a folder there.
	Root string
	// Tracer is the path of cws-instrumentation, ProbeAddr where it finds the probe; empty for its own default.
	Tracer, ProbeAddr string
	// Original says that the tracer is Datadog's, which knows fewer flags.
	Original bool
}

// Name implements service.System.
func (System) Name() string { return "sysvinit" }

const (
	scripts  = "/etc/init.d"
	stateDir = "/var/lib/cws/sysvinit"
	ctl      = "/usr/bin/cwsctl"
)

func (s System) path(elements ...string) string {
	return filepath.Join(append([]string{s.Root}, elements...)...)
}

// ours is the name of the script that watches a service.
func ours(name string, mode service.Mode) string { return "cws-" + string(mode) + "-" + name }

func (s System) script(name string) string { return s.path(scripts, name) }

// Plan implements service.System.
func (s System) Plan(_ context.Context, name string, mode service.Mode) (*service.Plan, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	text, err := s.text(name, mode)
	if err != nil {
		return nil, err
	}
	made := ours(name, mode)
	p := &service.Plan{Files: []service.File{{Path: filepath.Join(scripts, made), Text: text, Mode: 0o755}}}
	links, err := s.links(name)
	if err != nil {
		return nil, err
	}
	if mode == service.Wrap && exists(s.script(name)) {
		if len(links) > 0 {
			p.Steps = append(p.Steps, fmt.Sprintf("%s takes the place of %s in the runlevels", made, name))
		} else {
			p.Notes = append(p.Notes, "no runlevel starts it, wrapped or plain")
		}
		p.Files = append(p.Files, s.redirect()...)
		if len(p.Files) == 1 {
			p.Notes = append(p.Notes, fmt.Sprintf("%s/%s still starts it plain; use %s/%s", scripts, name, scripts, made))
		}
	} else {
		p.Steps = append(p.Steps, made+" gets a place in the runlevels")
	}
	return p, nil
}

// check refuses names that are none, and our own scripts.
func (s System) check(name string) error {
	if err := unit.CheckName(name); err != nil {
		return err
	}
	if strings.Contains(name, `\`) || strings.HasPrefix(name, "cws-") || name == unitOfProbe {
		return &service.Obstacle{Reason: fmt.Sprintf("%q is no service that can be watched", name), Hint: "ls " + scripts}
	}
	if st, err := os.Stat(s.path(s.Tracer)); err != nil || st.Mode()&0o111 == 0 {
		return &service.Obstacle{Reason: "there is no tracer at " + s.Tracer, Hint: "install the package cws-instrumentation"}
	}
	return nil
}

// unitOfProbe is the name of the probe's script, ours and the original's.
const unitOfProbe = "datadog-agent-sysprobe"

// settings gives what /etc/cws has for a name; nil without an error when there is nothing.
func (s System) settings(name string) (*settings.Settings, error) {
	conf, err := settings.Read(s.path(settings.Folder, name+settings.Suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return conf, err
}

// Enable implements service.System: the script is written, the places in the runlevels change hands, and a service that runs
// starts anew.
func (s System) Enable(ctx context.Context, name string, mode service.Mode) error {
	text, err := s.text(name, mode)
	if err != nil {
		return err
	}
	runs := s.run(ctx, name, "status") == nil
	if err := s.remember(name, mode); err != nil {
		return err
	}
	made := ours(name, mode)
	if err := service.Write(service.File{Path: s.script(made), Text: text, Mode: 0o755}); err != nil {
		return err
	}
	if err := s.takeOver(ctx, name, mode); err != nil {
		return err
	}
	if mode == service.Wrap {
		if err := s.redirectCalls(); err != nil {
			return err
		}
	}
	if mode == service.Attach || !exists(s.script(name)) {
		return s.complete(name, mode, s.begin(ctx, made))
	}
	if !runs {
		return s.complete(name, mode, nil)
	}
	if err := s.run(ctx, name, "stop"); err != nil {
		return err
	}
	return s.complete(name, mode, s.begin(ctx, made))
}

func (s System) begin(ctx context.Context, made string) error {
	said, err := s.execute(ctx, made, "start")
	if err != nil {
		return fmt.Errorf("it does not start behind the tracer: %w", err)
	}
	if line := untraced.FindString(said); line != "" {
		return fmt.Errorf("it starts, but untraced: %s", line)
	}
	return nil
}

// untraced is what a tracer says that can't trace, and lets its script run all the same; our own script says it where there is none.
var untraced = regexp.MustCompile(`.*\bruns untraced`)

// Disable implements service.System. Whether the service is to run at the end is written down before it is stopped.
func (s System) Disable(ctx context.Context, name string, mode service.Mode) error {
	if err := s.idle(ctx, name, mode); err != nil {
		return err
	}
	runs, err := s.toRun(ctx, name, mode)
	if err != nil {
		return err
	}
	if made := ours(name, mode); exists(s.script(made)) {
		// Some scripts take it for a failure that there is nothing to stop.
		if err := s.run(ctx, made, "stop"); err != nil && s.run(ctx, made, "status") == nil {
			return err
		}
	}
	if err := s.giveBack(ctx, name, mode); err != nil {
		return err
	}
	if runs {
		err = s.run(ctx, name, "start") // if that fails, the places are as they were all the same
	}
	return errors.Join(err, s.forget(name, mode))
}

// toRun tells whether a service runs, or an interrupted change has stopped it, and writes that down.
func (s System) toRun(ctx context.Context, name string, mode service.Mode) (bool, error) {
	if mode == service.Attach || !exists(s.script(name)) {
		return false, nil
	}
	runs := s.run(ctx, name, "status") == nil
	was, err := s.recall(name, mode)
	if err != nil || was == nil {
		return runs, err
	}
	was.Running = runs || was.Running && !was.Done
	was.Done = false
	return was.Running, s.keep(s.stateFile(name, mode), was)
}

// run calls an init script.
func (s System) run(ctx context.Context, script, verb string) error {
	_, err := s.execute(ctx, script, verb)
	return err
}

// sayLimit bounds what is read of what a script says.
const sayLimit = 64 << 10

// execute calls an init script as service(8) does, with nothing of our environment, from the root folder, and gives what it says.
func (s System) execute(ctx context.Context, script, verb string) (said string, err error) {
	cmd := exec.CommandContext(ctx, s.script(script), verb)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/sbin:/usr/sbin:/bin:/usr/bin", "TERM=dumb"}
	// A daemon may keep its standard output: a file doesn't make us wait for it, as a pipe would.
	out, err := os.CreateTemp("", "cws-*")
	if err != nil {
		return "", fmt.Errorf("run %s: %w", script, err)
	}
	defer out.Close()
	defer os.Remove(out.Name())
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, _ := io.ReadAll(io.NewSectionReader(out, 0, sayLimit))
	said = strings.TrimSpace(string(text))
	if err != nil {
		lines := strings.Split(said, "\n")
		return said, fmt.Errorf("%s/%s %s: %w: %s", scripts, script, verb, err, lines[len(lines)-1])
	}
	return said, nil
}

// List implements service.System.
func (s System) List(ctx context.Context) ([]service.Entry, error) {
	tracers, err := service.Tracers()
	if err != nil {
		return nil, err
	}
	var entries []service.Entry
	for _, mode := range []service.Mode{service.Wrap, service.Attach} {
		files, err := filepath.Glob(s.script(ours("*", mode)))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			name := strings.TrimPrefix(filepath.Base(file), ours("", mode))
			entry := service.Entry{Service: name, Mode: mode, State: "stopped", Own: !exists(s.script(name))}
			if s.run(ctx, ours(name, mode), "status") == nil {
				entry.State = "running"
			}
			links, err := s.links(ours(name, mode))
			if err != nil {
				return nil, err
			}
			entry.Enabled = slices.ContainsFunc(links, func(l link) bool { return l.starts() })
			if entry.PIDs, err = s.processes(name, mode, tracers); err != nil {
				return nil, err
			}
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// processes are those of a service: what a tracer follows that has run its script, or what its program's name finds.
func (s System) processes(name string, mode service.Mode, tracers []service.Tracer) ([]int, error) {
	if mode == service.Attach {
		return s.Processes(name)
	}
	var pids []int
	for _, t := range tracers {
		if len(t.Command) > 0 && t.Command[0] == filepath.Join(scripts, name) {
			pids = append(pids, t.Processes...)
		}
	}
	if conf, err := s.settings(name); pids == nil && err == nil && conf != nil && conf.Command != "" {
		return s.command(conf, tracers), nil
	}
	return pids, nil
}

// command finds what a tracer follows that was started with a command of /etc/cws.
func (s System) command(conf *settings.Settings, tracers []service.Tracer) []int {
	words, err := words(conf)
	if err != nil {
		return nil
	}
	for _, t := range tracers {
		if slices.Equal(t.Command, words) {
			return t.Processes
		}
	}
	return nil
}

// Processes lists the processes to attach to: those of the program that /etc/cws/NAME.conf names, or that is called as the
// script is.
func (s System) Processes(name string) ([]int, error) {
	conf, err := s.settings(name)
	if err != nil {
		return nil, err
	}
	if conf != nil && conf.Match != "" {
		return follow.Named(conf.Match)
	}
	return follow.Named(name)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
