package secl

import (
	"slices"
	"strings"
)

// Host is what the filters of rules and macros can ask about.
type Host struct {
	OS           string // "linux"
	Origin       string // "ebpfless"
	Hostname     string
	ID           string   // of os-release(5)
	PlatformID   string   // of os-release(5)
	VersionID    string   // of os-release(5)
	Kernel       [4]int64 // major, minor, patch, ABI
	KernelFlavor string   // "generic" of 6.8.0-31-generic
	CORE         bool     // the kernel carries BTF
	Envs         []string // NAME=value
}

var hostModel = newHostModel()

func newHostModel() *Model[Host] {
	m := NewModel[Host]()
	text := func(name string, get func(*Host) string) Getter[Host, Host] {
		return String(name, func(_, h *Host) string { return get(h) })
	}
	number := func(name string, i int) Getter[Host, Host] {
		return Int(name, func(_, h *Host) int64 { return h.Kernel[i] })
	}
	getters := []Getter[Host, Host]{
		text("os", func(h *Host) string { return h.OS }),
		text("origin", func(h *Host) string { return h.Origin }),
		text("hostname", func(h *Host) string { return h.Hostname }),
		text("os.id", func(h *Host) string { return h.ID }),
		text("os.platform_id", func(h *Host) string { return h.PlatformID }),
		text("os.version_id", func(h *Host) string { return h.VersionID }),
		text("kernel.version.flavor", func(h *Host) string { return h.KernelFlavor }),
		number("kernel.version.major", 0), number("kernel.version.minor", 1),
		number("kernel.version.patch", 2), number("kernel.version.abi", 3),
		Bool("kernel.core.enabled", func(_, h *Host) bool { return h.CORE }),
		Strings("envs", func(_, h *Host) []string { return h.Envs }),
	}
	for _, d := range distributions {
		getters = append(getters, Bool("os.is_"+d.name, func(_, h *Host) bool {
			return slices.Contains(d.ids, h.ID) && versionStarts(h.VersionID, d.version)
		}))
	}
	Under(m, "", "", func(h *Host) *Host { return h }, getters)
	return m
}

// distributions are the os.is_ fields: IDs of os-release(5), and the major version where one is meant.
var distributions = []struct {
	name    string
	ids     []string
	version string
}{
	{"amazon_linux", []string{"amzn"}, ""},
	{"cos", []string{"cos"}, ""},
	{"debian", []string{"debian"}, ""},
	{"oracle", []string{"ol"}, ""},
	{"rhel", []string{"rhel", "centos", "rocky", "almalinux"}, ""},
	{"rhel7", []string{"rhel", "centos"}, "7"},
	{"rhel8", []string{"rhel", "centos", "rocky", "almalinux"}, "8"},
	{"sles", []string{"sles"}, ""},
	{"sles12", []string{"sles"}, "12"},
	{"sles15", []string{"sles"}, "15"},
}

// versionStarts tells whether a version is the major one given, or one of its minors; "" accepts all.
func versionStarts(version, major string) bool {
	return major == "" || version == major || strings.HasPrefix(version, major+".")
}

// accepts tells whether any filter is true; no filters accept everything.
func (h *Host) accepts(filters []string) (bool, error) {
	for _, f := range filters {
		p, err := Compile(hostModel, f, &Env{AnyEvent: true})
		if err != nil {
			return false, err
		}
		if p.Eval(h) {
			return true, nil
		}
	}
	return len(filters) == 0, nil
}
