package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// folders are where units lie, those that win first (systemd.unit(5)). What generators write is left out: while they run
// it is not there yet.
var folders = []string{
	"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient",
	"/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
}

// Reasons for a unit not to be loaded.
var (
	ErrNotFound = errors.New("there is no such unit")
	ErrMasked   = errors.New("it is masked")
)

// Loaded is a service as its files have it.
type Loaded struct {
	// Name is the real one, without suffix, where the service was asked for by an alias.
	Name string
	// Fragment is the unit's file; empty where systemd makes the unit of an init script.
	Fragment string
	DropIns  []string
	unit.File
}

// Load reads a service's unit file and its drop-ins.
func (h Host) Load(service string) (*Loaded, error) {
	name, fragment, err := h.find(service)
	if errors.Is(err, ErrNotFound) && h.hasScript(service) {
		loaded := &Loaded{Name: service, File: unit.Parse(fmt.Sprintf(ofScript, service))}
		loaded.DropIns, err = h.dropIns(service)
		return loaded, errors.Join(err, loaded.read(loaded.DropIns))
	}
	if err != nil {
		return nil, err
	}
	loaded := &Loaded{Name: name, Fragment: fragment}
	loaded.DropIns, err = h.dropIns(name, service)
	if err != nil {
		return nil, err
	}
	return loaded, loaded.read(append([]string{fragment}, loaded.DropIns...))
}

func (l *Loaded) read(files []string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read unit: %w", err)
		}
		l.File = append(l.File, unit.Parse(string(text))...)
	}
	return nil
}

// ofScript is what systemd-sysv-generator(8) makes of an init script, as far as it matters here. It does so while our
// generator runs, so that ours can't read it.
const ofScript = "[Service]\nType=forking\nGuessMainPID=no\nExecStart=/etc/init.d/%s start\n"

// initScripts is where scripts lie of which systemd makes units.
const initScripts = "/etc/init.d"

func (h Host) hasScript(service string) bool {
	st, err := os.Stat(h.path(initScripts, service))
	return err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 && unit.Template(service) == ""
}

// find gives a service's real name and its file: its own, or that of its template.
func (h Host) find(service string) (name, fragment string, err error) {
	for _, candidate := range []string{service, unit.Template(service)} {
		if candidate == "" {
			continue
		}
		for _, folder := range folders {
			path := h.path(folder, candidate+unit.Suffix)
			st, err := os.Lstat(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return "", "", fmt.Errorf("read unit: %w", err)
			}
			if st.Mode()&fs.ModeSymlink == 0 {
				if st.Size() == 0 {
					return "", "", ErrMasked
				}
				return service, path, nil
			}
			return h.follow(service, candidate, path)
		}
	}
	return "", "", ErrNotFound
}

// follow reads a link: to /dev/null it masks, to another name it is an alias, to the same name elsewhere the unit itself.
func (h Host) follow(service, found, path string) (string, string, error) {
	target, err := os.Readlink(path)
	if err != nil {
		return "", "", fmt.Errorf("read unit: %w", err)
	}
	if target == os.DevNull {
		return "", "", ErrMasked
	}
	name := strings.TrimSuffix(filepath.Base(target), unit.Suffix)
	switch {
	case name == found || found != service:
		name = service
	case strings.HasSuffix(name, "@"): // an instance linked to its template
		return service, h.absolute(path, target), nil
	}
	if name != service {
		return h.find(name)
	}
	return service, h.absolute(path, target), nil
}

// absolute is where a link points to, below the host's root.
func (h Host) absolute(link, target string) string {
	if filepath.IsAbs(target) {
		return h.path(target)
	}
	return filepath.Join(filepath.Dir(link), target)
}

// dropIns lists the files that change a service, in the order of their names, each from the folder that wins.
func (h Host) dropIns(names ...string) ([]string, error) {
	files := map[string]string{}
	for _, folder := range h.dropInFolders(slices.Compact(names)) {
		entries, err := os.ReadDir(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read drop-ins: %w", err)
		}
		for _, entry := range entries {
			if _, hidden := files[entry.Name()]; !hidden && strings.HasSuffix(entry.Name(), ".conf") {
				files[entry.Name()] = filepath.Join(folder, entry.Name())
			}
		}
	}
	var sorted []string
	for name := range files {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	paths := sorted[:0]
	for _, name := range sorted {
		if target, err := os.Readlink(files[name]); err != nil || target != os.DevNull {
			paths = append(paths, files[name])
		}
	}
	return paths, nil
}

// dropInFolders are where the drop-ins of a service lie, those that win first: its template's in /etc do before its own in /usr.
// Those of all services, which come last, are of version 244; Red Hat's 239 reads them, too.
func (h Host) dropInFolders(names []string) []string {
	var list []string
	add := func(kinds ...string) {
		for _, folder := range folders {
			for _, kind := range kinds {
				list = append(list, h.path(folder, kind+".d"))
			}
		}
	}
	for _, name := range names {
		add(h.kinds(name)...)
	}
	if h.Version >= 239 {
		add("service")
	}
	return list
}

// kinds are the names whose drop-ins a service gets, the most special first: its own, its template's, and those of its prefix
// up to the last dash, which may be an instance, too, and has a prefix itself (239).
func (h Host) kinds(name string) []string {
	kinds := []string{name + unit.Suffix}
	template := unit.Template(name)
	if template != "" {
		kinds = append(kinds, h.kinds(template)...)
	}
	prefix, instance, _ := strings.Cut(name, "@")
	dash := strings.LastIndexByte(strings.TrimSuffix(prefix, "-"), '-')
	if h.Version < 239 || dash <= 0 {
		return kinds
	}
	prefix = prefix[:dash+1]
	if template != "" {
		prefix += "@" + instance
	}
	return append(kinds, h.kinds(prefix)...)
}
