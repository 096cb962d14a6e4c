package secl

import (
	"fmt"
	"strings"
)

// otherEvents are event types of the language that nobody can serve without eBPF.
var otherEvents = map[string]bool{
	"bpf": true, "cgroup_write": true, "dns": true, "imds": true, "mmap": true, "mprotect": true, "network": true,
	"network_flow_monitor": true, "ondemand": true, "packet": true, "ptrace": true, "removexattr": true,
	"selinux": true, "setxattr": true, "signal": true, "splice": true, "sysctl": true, "umount": true,
}

// unknown says what is wrong with a name that is nothing, and which field it resembles.
func (k *compiler[C]) unknown(name string) string {
	m := k.model
	prefix, _, dotted := strings.Cut(name, ".")
	if dotted && otherEvents[prefix] && !m.hasEvent(prefix) {
		return fmt.Sprintf("%s events can't be seen in eBPF-less mode", prefix)
	}
	// A guess takes a millisecond; a file full of mistakes gets them for its first ones.
	if k.env.guesses++; k.env.guesses <= 100 {
		if near := m.nearest(name); near != "" {
			return fmt.Sprintf("unknown field %q, did you mean %q?", name, near)
		}
	}
	if !dotted {
		return fmt.Sprintf("%q is no constant, macro or field", name)
	}
	return fmt.Sprintf("unknown field %q", name)
}

// nearest gives the field with the least edits from name; "" when none is close.
func (m *Model[C]) nearest(name string) string {
	if len(name) > 128 {
		return ""
	}
	best, least := "", 1+len(name)/4
	for _, known := range m.FieldNames() {
		if d := len(known) - len(name); d > least || -d > least {
			continue
		}
		if d := edits(name, known); d < least || d == least && best == "" {
			best, least = known, d
		}
	}
	return best
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substituted := diagonal
			if a[i] != b[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, substituted)
		}
	}
	return row[len(b)]
}
