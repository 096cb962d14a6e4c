package systemd

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// searched are systemd's own folders of programs: there it looks for what a unit names without a folder, whatever PATH= the
// service has (239).
var searched = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// search finds the program of a command that names it without a folder, for the tracer would ask the service's PATH=. Its name
// for itself is the path up to 246, and what the unit says from 247 on.
func (h Host) search(s unit.File, command unit.Command) unit.Command {
	named := command.Argv0 == "" && h.Version >= 247
	if strings.ContainsAny(command.Path, "/%$") || s.Last("Service", "ExecSearchPath") != "" || named && h.Original {
		return command
	}
	for _, folder := range searched {
		st, err := os.Stat(h.path(folder, command.Path))
		if err != nil || !st.Mode().IsRegular() || st.Mode()&0o111 == 0 {
			continue
		}
		if named {
			command.Argv0 = unit.Quote(command.Path)
		}
		command.Path = filepath.Join(folder, command.Path)
		break
	}
	return command
}
