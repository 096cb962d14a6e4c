package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/settings"
	"github.com/ebpfless/ebpfless/src/unit"
)

// unasked keeps a service plain that nobody can enable, in systemd's words a static or a generated one, unless the administrator
// insists: who names it may not know what starts it, or what its unit is made of. Generators can't ask systemd, so the files tell.
func (h Host) unasked(instance string, loaded *Loaded) error {
	reason := ""
	switch {
	case loaded.Fragment == "":
		reason = "it is generated: systemd-sysv-generator makes its unit from " + filepath.Join(initScripts, loaded.Name)
	case h.static(loaded):
		reason = "it is static: its unit has no [Install] section, and " + h.starters(loaded)
	default:
		return nil
	}
	insisted, err := h.insisted(instance)
	if err != nil || insisted {
		return err
	}
	return &service.Obstacle{Reason: reason, Hint: fmt.Sprintf(
		"cwsctl wrap --force %s wraps it all the same; for systemctl enable, write Force=yes to %s",
		instance, filepath.Join(settings.Folder, instance+settings.Suffix))}
}

// installs are the lines of a unit's [Install] that systemctl enable can do something about.
var installs = []string{"WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also"}

// enabling are the folders in which systemctl and the administrator enable, and what they link there are units.
var enabling = []string{"/etc/systemd/system", "/run/systemd/system"}

// static tells whether there is nothing to enable a service by, and nobody has done it by hand. What is linked there from elsewhere,
// goes by another name or is transient has a state of its own.
func (h Host) static(loaded *Loaded) bool {
	lines := func(key string) bool { return len(loaded.All("Install", key)) > 0 }
	if slices.ContainsFunc(installs, lines) || filepath.Dir(loaded.Fragment) == h.path("/run/systemd/transient") {
		return false
	}
	name := loaded.Name + unit.Suffix
	for _, folder := range enabling {
		for _, pattern := range []string{"*", "*.wants/*", "*.requires/*", "*.upholds/*"} {
			links, _ := filepath.Glob(h.path(folder, pattern))
			enables := func(link string) bool {
				target, err := os.Readlink(link)
				return err == nil && (filepath.Base(link) == name || filepath.Base(target) == name)
			}
			if slices.ContainsFunc(links, enables) {
				return false
			}
		}
	}
	return true
}
