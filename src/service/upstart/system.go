// Package upstart protects jobs of upstart: an override puts the job's main process behind a tracer, or a job of ours follows
// it and attaches. The job's own file is not touched.
package upstart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
)

// System is a host with upstart.
type System struct {
	// Root stands before every path; tests put a folder there.
	Root string
	// Tracer is the path of cws-instrumentation, ProbeAddr where it finds the probe; empty for its own default.
	Tracer, ProbeAddr string
	// Original says that the tracer is Datadog's, which knows fewer flags.
	Original bool
}

const (
	jobs = "/etc/init"
	ctl  = "/usr/bin/cwsctl"
)

// Name implements service.System.
func (System) Name() string { return "upstart" }

func (s System) path(elements ...string) string {
	return filepath.Join(append([]string{s.Root}, elements...)...)
}

func (s System) override(name string) string { return filepath.Join(jobs, name+".override") }
func (s System) follower(name string) string { return filepath.Join(jobs, "cws-attach-"+name+".conf") }

// Knows tells whether a service is a job, or was one when we changed it.
func (s System) Knows(name string) bool {
	for _, file := range []string{filepath.Join(jobs, name+".conf"), s.override(name), s.follower(name)} {
		if _, err := os.Stat(s.path(file)); err == nil {
			return true
		}
	}
	return false
}

// Plan implements service.System.
func (s System) Plan(_ context.Context, name string, mode service.Mode) (*service.Plan, error) {
	if err := unit.CheckName(name); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(s.path(jobs, name+".conf"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &service.Obstacle{Reason: fmt.Sprintf("%v: no %s/%s.conf", service.ErrUnknown, jobs, name), Hint: "initctl list"}
	}
	if err != nil {
		return nil, err
	}
	if mode == service.Attach {
		return &service.Plan{Files: []service.File{{Path: s.follower(name), Text: following(name), Mode: 0o644}}}, nil
	}
	before, err := s.before(name)
	if err != nil {
		return nil, err
	}
	job := unit.ParseJob(string(text) + "\n" + before)
	ours, err := s.wrapped(name, job)
	if err != nil {
		return nil, err
	}
	p := &service.Plan{Files: []service.File{{Path: s.override(name), Text: add(before, ours), Mode: 0o644}}}
	if job.Instances {
		p.Notes = []string{"its instances that run stay plain until they are started anew, and cwsctl list does not see them"}
	} else {
		p.Steps = []string{"which restarts " + name + " if it runs"}
	}
	return p, nil
}

// Enable implements service.System.
func (s System) Enable(ctx context.Context, name string, mode service.Mode) error {
	plan, err := s.Plan(ctx, name, mode)
	if err != nil {
		return err
	}
	file := plan.Files[0]
	file.Path = s.path(file.Path)
	if err := service.Write(file); err != nil {
		return err
	}
	if err := s.again(ctx, name, mode); err != nil || mode == service.Attach {
		return err
	}
	return confirm(ctx, name)
}

// Disable implements service.System.
func (s System) Disable(ctx context.Context, name string, mode service.Mode) error {
	if mode == service.Attach {
		initctl(ctx, "stop", "cws-attach-"+name) // it may not run
		if err := os.Remove(s.path(s.follower(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove job: %w", err)
		}
		return nil
	}
	path := s.path(s.override(name))
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && remove(string(text)) == string(text) {
		return nil
	}
	if err != nil {
		return err
	}
	if before := remove(string(text)); before != "" {
		err = service.Write(service.File{Path: path, Text: before, Mode: 0o644})
	} else {
		err = os.Remove(path)
	}
	if err != nil {
		return err
	}
	return s.again(ctx, name, mode)
}

// again starts what runs once more: a job keeps its configuration until it has stopped, so that restart would not do.
func (s System) again(ctx context.Context, name string, mode service.Mode) error {
	if err := initctl(ctx, "reload-configuration"); err != nil {
		return err
	}
	if !runs(ctx, name) {
		return nil
	}
	if mode == service.Attach {
		return initctl(ctx, "start", "cws-attach-"+name)
	}
	if err := initctl(ctx, "stop", name); err != nil {
		return err
	}
	return initctl(ctx, "start", name)
}

func runs(ctx context.Context, name string) bool {
	out, err := exec.CommandContext(ctx, "initctl", "status", name).Output()
	return err == nil && strings.Contains(string(out), "start/running")
}

// patience is for a job that starts or stops: upstart itself waits for ever where a job's expect is wrong.
const patience = 90 * time.Second

func initctl(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "initctl", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			err = fmt.Errorf("not done within %v", patience)
		}
		return fmt.Errorf("initctl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return nil
}

// List implements service.System.
func (s System) List(ctx context.Context) ([]service.Entry, error) {
	var entries []service.Entry
	overrides, err := filepath.Glob(s.path(jobs, "*.override"))
	if err != nil {
		return nil, err
	}
	for _, file := range overrides {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if remove(string(text)) != string(text) {
			entries = append(entries, service.Entry{Service: strings.TrimSuffix(filepath.Base(file), ".override"), Mode: service.Wrap})
		}
	}
	followers, err := filepath.Glob(s.path(s.follower("*")))
	if err != nil {
		return nil, err
	}
	for _, file := range followers {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "cws-attach-"), ".conf")
		entries = append(entries, service.Entry{Service: name, Mode: service.Attach})
	}
	for i := range entries {
		e := &entries[i]
		e.Enabled, e.State = true, "stopped"
		if runs(ctx, e.Service) {
			e.State = "running"
		}
		if e.PIDs, err = (&Members{Job: e.Service}).List(); err != nil {
			return nil, err
		}
	}
	return entries, nil
}
