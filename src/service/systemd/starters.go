package systemd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// activating are the kinds of units that start a service: the one that they name there, or else the one that is called as they are.
var activating = []struct{ suffix, section, key string }{
	{".socket", "Socket", "Service"}, {".timer", "Timer", "Unit"}, {".path", "Path", "Unit"},
}

// generated are the folders of what other generators link, where it is there already.
var generated = []string{"/run/systemd/generator.early", "/run/systemd/generator", "/run/systemd/generator.late"}

// starters says who starts a service, as far as files tell.
func (h Host) starters(loaded *Loaded) string {
	var names []string
	for _, folder := range slices.Concat(folders, generated) {
		for _, kind := range []string{".wants", ".requires", ".upholds"} {
			links, _ := filepath.Glob(h.path(folder, "*"+kind, loaded.Name+unit.Suffix))
			for _, link := range links {
				names = append(names, strings.TrimSuffix(filepath.Base(filepath.Dir(link)), kind))
			}
		}
		names = append(names, h.activators(folder, loaded.Name)...)
	}
	if bus := loaded.Last("Service", "BusName"); bus != "" {
		if _, err := os.Stat(h.path("/usr/share/dbus-1/system-services", bus+unit.Suffix)); err == nil {
			names = append(names, "a call to "+bus+" on D-Bus")
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	switch len(names) {
	case 0:
		return "no socket, timer, path, target or bus that is installed starts it"
	case 1:
		return names[0] + " starts it"
	}
	return strings.Join(names, ", ") + " start it"
}

// activators lists the sockets, timers and paths of a folder that start a service.
func (h Host) activators(folder, service string) []string {
	var names []string
	for _, a := range activating {
		files, _ := filepath.Glob(h.path(folder, "*"+a.suffix))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil || len(text) == 0 { // masked, for one
				continue
			}
			parsed := unit.Parse(string(text))
			started := strings.TrimSuffix(parsed.Last(a.section, a.key), unit.Suffix)
			if started == "" {
				started = strings.TrimSuffix(filepath.Base(file), a.suffix)
			}
			if parsed.Yes(a.section, "Accept") { // an instance for each connection
				started += "@"
			}
			if started == service || started == unit.Template(service) {
				names = append(names, filepath.Base(file))
			}
		}
	}
	return names
}
