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

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/follow"
	"github.com/ebpfless/ebpfless/src/unit"
)

// System is a host with upstart.
type System struct {
	// Root stands before every path; tests put a folder there.
	Root string
	// Tracer is the path of cws-instrumentation, ProbeAddr where it finds the probe; empty for its own default.
	Tracer, ProbeAddr string
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
	ours, err := s.wrapped(name, unit.ParseJob(string(text)+"\n"+before))
	if err != nil {
		return nil, err
	}
	return &service.Plan{
		Files: []service.File{{Path: s.override(name), Text: add(before, ours), Mode: 0o644}},
		Steps: []string{"which restarts " + name + " if it runs"},
	}, nil
}

// before is the administrator's own override, without what we have added to it.
func (s System) before(name string) (string, error) {
	text, err := os.ReadFile(s.path(s.override(name)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return remove(string(text)), nil
}

// What we add to an override stands between two lines, so that it can be cut out exactly.
const (
	begin  = "# cws-wrap begins; made by cwsctl, which takes it away again: cwsctl unwrap NAME\n"
	joined = "# cws-wrap begins on a line that was not ended; made by cwsctl: cwsctl unwrap NAME\n"
	end    = "# cws-wrap ends\n"
)

func add(before, ours string) string {
	if before != "" && !strings.HasSuffix(before, "\n") {
		return before + "\n" + joined + ours + end
	}
	return before + begin + ours + end
}

// remove is the reverse of add.
func remove(text string) string {
	if i := strings.Index(text, "\n"+joined); i >= 0 {
		return text[:i]
	}
	if i := strings.Index(text, begin); i >= 0 {
		return text[:i]
	}
	return text
}

// wrapped gives the stanza that puts a job's main process behind the tracer.
func (s System) wrapped(name string, job unit.Job) (string, error) {
	switch {
	case job.Expect == "fork" || job.Expect == "daemon":
		return "", &service.Obstacle{
			Reason: "expect " + job.Expect + " has upstart itself trace the job's first steps, so that no other tracer can",
			Hint:   "cwsctl attach " + name,
		}
	case job.Exec == "" && job.Script == "":
		return "", &service.Obstacle{Reason: "it has neither exec nor script: it starts no process", Hint: "name another job"}
	case strings.Contains(job.Exec+job.Script, "cws-instrumentation"):
		return "", &service.Obstacle{Reason: "it is behind a tracer already", Hint: "see " + jobs + "/" + name + ".conf"}
	}
	words := []string{"exec", unit.QuoteShell(s.Tracer), "trace", "--wait", "10s"}
	if s.ProbeAddr != "" {
		words = append(words, "--probe-addr", unit.QuoteShell(s.ProbeAddr))
	}
	line := strings.Join(append(words, "--"), " ")
	switch {
	case job.Script != "": // upstart runs scripts by sh -e
		return "script\n" + line + " /bin/sh -e -c " + unit.QuoteShell(job.Script) + "\nend script\n", nil
	case strings.ContainsAny(job.Exec, ";|&"):
		return "script\n" + line + " /bin/sh -e -c " + unit.QuoteShell("exec "+job.Exec) + "\nend script\n", nil
	}
	return line + " " + job.Exec + "\n", nil
}

// following is the job that attaches for as long as another one runs.
func following(name string) string {
	return fmt.Sprintf(`# Made by cwsctl: keeps tracers attached to the processes of %[1]s. "cwsctl unwrap %[1]s" takes it away.
description "runtime threat detection for %[1]s (attached)"
start on started %[1]s
stop on stopping %[1]s
respawn
oom score never
exec %[2]s hook attach -- %[1]s
`, name, ctl)
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
	return s.again(ctx, name, mode)
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

func initctl(ctx context.Context, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "initctl", args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
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
		if e.PIDs, err = follow.Named(e.Service); err != nil {
			return nil, err
		}
	}
	return entries, nil
}
