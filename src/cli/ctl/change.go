package ctl

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
	"github.com/spf13/cobra"
)

// changing is one call of wrap, attach or unwrap.
type changing struct {
	system  service.System
	out     io.Writer
	dry     bool
	changes *service.Changes
}

func wrapCommand() *cobra.Command {
	cmd := changeCommand("wrap NAME...", "Run services behind a tracer, from now on and at every boot", func(c *changing, ctx context.Context, name string) error {
		return c.watch(ctx, name, service.Wrap)
	})
	cmd.Flags().Bool("force", false, "wrap static and generated services, too")
	return cmd
}

// forced is a system that takes services which it refuses otherwise, if the command line says so.
func forced(cmd *cobra.Command, found service.System) service.System {
	force, err := cmd.Flags().GetBool("force")
	if forcible, ok := found.(service.Forcible); ok && err == nil && force {
		return forcible.Forced()
	}
	return found
}

func attachCommand() *cobra.Command {
	return changeCommand("attach NAME...", "Attach tracers to services as they run, from now on and at every boot", func(c *changing, ctx context.Context, name string) error {
		return c.watch(ctx, name, service.Attach)
	})
}

func unwrapCommand() *cobra.Command {
	return changeCommand("unwrap NAME...", "Run services plain again", (*changing).leave)
}

// changeCommand makes a command that does something for each of several services. One that fails doesn't keep the others
// from being dealt with.
func changeCommand(use, short string, do func(*changing, context.Context, string) error) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.MinimumNArgs(1), RunE: func(cmd *cobra.Command, names []string) error {
		for i, name := range names {
			names[i] = trimSuffix(name)
			if err := unit.CheckName(names[i]); err != nil {
				return err
			}
		}
		found, err := system()
		if err != nil {
			return explain(err)
		}
		found = forced(cmd, found)
		c := &changing{system: found, out: cmd.OutOrStdout(), dry: dry}
		c.changes = &service.Changes{System: found, Folder: service.DefaultFolder, Say: c.say}
		if !dry {
			end, err := c.changes.Begin(cmd.Context())
			if err != nil {
				return explain(err)
			}
			defer end()
		}
		return each(names, cmd.ErrOrStderr(), func(name string) error { return do(c, cmd.Context(), name) })
	}}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would change, and change nothing")
	return cmd
}

// each calls do for all names and tells of those that fail.
func each(names []string, stderr io.Writer, do func(string) error) error {
	failed := 0
	for _, name := range names {
		if err := do(name); err != nil {
			failed++
			complain(stderr, name, err)
		}
	}
	if failed > 0 {
		return errProblems
	}
	return nil
}

func (c *changing) say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

// watch wraps or attaches to one service.
func (c *changing) watch(ctx context.Context, name string, mode service.Mode) error {
	entries, err := c.system.List(ctx)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Service == name && entry.Enabled && entry.Note == "" {
			return &service.Obstacle{Reason: "it is " + entry.Mode.Past() + " already", Hint: "cwsctl unwrap " + name + " takes that back"}
		}
		if entry.Service == name && entry.Mode != mode {
			return &service.Obstacle{Reason: "it is " + entry.Mode.Past(), Hint: "cwsctl unwrap " + name + " first: a process can have one tracer only"}
		}
	}
	plan, err := c.system.Plan(ctx, name, mode)
	if err != nil {
		return err
	}
	if c.dry {
		return c.print(plan)
	}
	defer progress(c.out, fmt.Sprintf("%s %s", mode, name))()
	if err := c.changes.Enable(ctx, name, mode); err != nil {
		return err
	}
	c.say("%s is %s", name, mode.Past())
	for _, note := range plan.Notes {
		c.say("%s: %s", name, note)
	}
	return nil
}

// leave ends whatever watches a service.
func (c *changing) leave(ctx context.Context, name string) error {
	entries, err := c.system.List(ctx)
	if err != nil {
		return err
	}
	left := false
	for _, entry := range entries {
		if entry.Service != name {
			continue
		}
		left = true
		if c.dry {
			c.say("%s would no longer be %s", name, entry.Mode.Past())
			continue
		}
		stop := progress(c.out, "unwrap "+name)
		err := c.changes.Disable(ctx, name, entry.Mode)
		stop()
		if err != nil {
			return err
		}
		c.say("%s is no longer %s", name, entry.Mode.Past())
	}
	if !left {
		return &service.Obstacle{Reason: "it is neither wrapped nor attached", Hint: "cwsctl list shows what is"}
	}
	return nil
}

func (c *changing) print(plan *service.Plan) error {
	for _, file := range plan.Files {
		c.say("%s would be:", file.Path)
		for line := range strings.Lines(file.Text) {
			c.say("    %s", strings.TrimRight(line, "\n"))
		}
	}
	for _, step := range plan.Steps {
		c.say("would run: %s", step)
	}
	for _, note := range plan.Notes {
		c.say("note: %s", note)
	}
	return nil
}

// progress says what takes longer than a second, until the function that it gives is called.
func progress(out io.Writer, what string) (stop func()) {
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		began := time.Now()
		for wait := time.Second; ; wait = 5 * time.Second {
			select {
			case <-done:
				return
			case <-time.After(wait):
				fmt.Fprintf(out, "%s: still at it after %v\n", what, time.Since(began).Round(time.Second))
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// trimSuffix lets services be called by the names of their units.
func trimSuffix(name string) string { return strings.TrimSuffix(name, unit.Suffix) }
