package sysvinit

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

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
