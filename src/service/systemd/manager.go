package systemd

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Manager is systemd itself, asked through systemctl: that works without a message bus, and the same on all versions.
type Manager struct{}

// run executes systemctl. Its complaint becomes the error.
func (Manager) run(ctx context.Context, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if line := firstLine(complaint.String()); line != "" {
			err = fmt.Errorf("%s", line)
		}
		return out.String(), fmt.Errorf("systemctl %s: %w", args[0], err)
	}
	return out.String(), nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// Show gives properties of a unit, or of the manager where the name is empty.
func (m Manager) Show(ctx context.Context, name string, properties ...string) (map[string]string, error) {
	args := []string{"show", "--property", strings.Join(properties, ",")}
	if name != "" {
		args = append(args, "--", name)
	}
	out, err := m.run(ctx, args...)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for line := range strings.Lines(out) {
		if key, value, found := strings.Cut(strings.TrimRight(line, "\n"), "="); found {
			values[key] = value
		}
	}
	return values, nil
}

// Reload has the manager run its generators and read all units again.
func (m Manager) Reload(ctx context.Context) error {
	_, err := m.run(ctx, "daemon-reload")
	return err
}

// Do runs a verb of systemctl, with its flags, for a unit, and waits for the end of the job.
func (m Manager) Do(ctx context.Context, name, verb string, flags ...string) error {
	_, err := m.run(ctx, append(append([]string{verb}, flags...), "--", name)...)
	return err
}
