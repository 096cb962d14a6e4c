// Package settings reads /etc/cws/NAME.conf, which describes what no unit and no init script does. What becomes of it is left
// to the init systems.
package settings

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/ebpfless/ebpfless/src/unit"
)

// Folder is where the files lie.
const Folder = "/etc/cws"

// Suffix ends their names.
const Suffix = ".conf"

// Settings are what /etc/cws/NAME.conf says: a command to run behind a tracer, processes to attach to, or how to attach to those of
// a service.
type Settings struct {
	// Command and Arguments are quoted as in ExecStart=.
	Command, Arguments string
	// Match names the processes to attach to, by program.
	Match string
	// InstallFilter has the seccomp filter installed in processes that are attached to (trace --install-filter).
	InstallFilter bool
	// Force has a service put behind a tracer that nobody can enable, as cwsctl wrap --force does.
	Force bool
	// Others are passed on to the init system; each key is one of passed.
	Others []Setting
}

// Setting is one line.
type Setting struct{ Key, Value string }

// passed are the settings that mean what they mean in a unit's [Service].
var passed = []string{
	"User", "Group", "WorkingDirectory", "Environment", "EnvironmentFile", "Restart", "RestartSec", "UMask", "LimitNOFILE",
	"TimeoutStopSec", "KillSignal", "Nice",
}

// Read reads a file of settings. A file that another user than root may write decides about nothing.
func Read(path string) (*Settings, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if owner, ok := st.Sys().(*syscall.Stat_t); !st.Mode().IsRegular() || ok && owner.Uid != uint32(os.Geteuid()) || st.Mode()&0o022 != 0 {
		return nil, fmt.Errorf("%s must be a file of root's that nobody else may write: chown root %[1]s; chmod 644 %[1]s", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parse(path, string(text))
}

func parse(path, text string) (*Settings, error) {
	s := &Settings{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || line == "[Service]" {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !found {
			return nil, fmt.Errorf("%s:%d: %.40q is no KEY=VALUE", path, i+1, line)
		}
		if err := s.set(key, value); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	if s.Command == "" && s.Match == "" && !s.InstallFilter && !s.Force {
		return nil, fmt.Errorf("%s: Command=, Match=, InstallFilter=yes or Force=yes is missing", path)
	}
	return s, nil
}

func (s *Settings) set(key, value string) error {
	switch key {
	case "Command":
		commands, err := unit.Commands(value)
		if err != nil {
			return err
		}
		if len(commands) != 1 || commands[0].Prefix != "" || !strings.HasPrefix(commands[0].Path, "/") {
			return fmt.Errorf("%s=%s is not one program with its full path", key, value)
		}
		s.Command = value
	case "Arguments":
		if words, err := unit.Words(value); err != nil || slices.Contains(words, ";") {
			return errors.Join(fmt.Errorf("%s=%s can't be read", key, value), err)
		}
		s.Arguments = value
	case "Match":
		s.Match = value
	case "InstallFilter":
		return decide(&s.InstallFilter, key, value)
	case "Force":
		return decide(&s.Force, key, value)
	default:
		if !slices.Contains(passed, key) {
			return fmt.Errorf("%s= is not known; there are Command, Arguments, Match, InstallFilter, Force, %s", key, strings.Join(passed, ", "))
		}
		s.Others = append(s.Others, Setting{key, value})
	}
	return nil
}

func decide(setting *bool, key, value string) error {
	yes, valid := unit.Boolean(value)
	if !valid {
		return fmt.Errorf("%s=%s is neither yes nor no", key, value)
	}
	*setting = yes
	return nil
}
