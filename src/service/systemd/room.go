package systemd

import (
	"fmt"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// room is what a tracer in a service's sandbox must be allowed to have. Below its limits the service would run untraced: a
// program in Go reserves most of a gigabyte of addresses, which cost nothing, before its first line is run.
var room = []struct {
	keys  []string
	least int64
	why   string
}{
	{[]string{"TasksMax", "LimitNPROC"}, 64, "its two processes have some ten threads each"},
	{[]string{"LimitNOFILE"}, 64, ""},
	{[]string{"LimitAS"}, 2 << 30, "it reserves addresses"},
	{[]string{"LimitDATA"}, 128 << 20, ""},
	{[]string{"LimitFSIZE"}, 64 << 20, "its memory is a file"},
	{[]string{"MemoryMax", "MemoryHigh", "MemoryLimit"}, 64 << 20, "16M hold events while the probe is away"},
}

// cramps tells of a limit that leaves no room for a tracer. The soft limit counts, the first of two.
func cramps(_ Host, s unit.File) string {
	for _, r := range room {
		for _, key := range r.keys {
			value, _, _ := strings.Cut(s.Last("Service", key), ":")
			if size, err := unit.Size(value); err != nil || size >= r.least {
				continue
			}
			reason := fmt.Sprintf("%s=%s leaves no room for a tracer, which wants %s", key, value, amount(r.least))
			if r.why != "" {
				reason += " (" + r.why + ")"
			}
			return reason
		}
	}
	return ""
}

func amount(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%dG", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%dM", n>>20)
	}
	return fmt.Sprint(n)
}

// blinds tells of a service that starts as root and can become another user, while its tracer would be root without
// CAP_SYS_PTRACE. The kernel then lets the tracer read nothing of the process any more (__ptrace_may_access, Linux 4.10).
func blinds(_ Host, s unit.File) string {
	if user := s.Last("Service", "User"); user != "" && user != "root" && user != "0" || s.Yes("Service", "DynamicUser") {
		return ""
	}
	has := func(capability string) bool {
		return allows(s.All("Service", "CapabilityBoundingSet"), func(word string) bool { return strings.EqualFold(word, capability) })
	}
	if has("CAP_SETUID") && !has("CAP_SYS_PTRACE") {
		return "CapabilityBoundingSet= without CAP_SYS_PTRACE makes the tracer blind when the service becomes another user"
	}
	return ""
}
