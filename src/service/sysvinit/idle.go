package sysvinit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/service"
)

// longest is how long a script may take.
const longest = time.Minute

// idle waits until no call of a service's scripts is under way: what a killed cwsctl had begun goes on without it, and would cross
// what is done now.
func (s System) idle(ctx context.Context, name string, mode service.Mode) error {
	scripts := []string{filepath.Join(scripts, name), filepath.Join(scripts, ours(name, mode))}
	for deadline := time.Now().Add(longest); ; {
		script := called(scripts)
		switch {
		case script == "":
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("%s is still at work after %v", script, longest)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// called gives one of the scripts that a process was called with.
func called(scripts []string) string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		command, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		for _, word := range strings.Split(string(command), "\x00") {
			if slices.Contains(scripts, word) {
				return word
			}
		}
	}
	return ""
}
