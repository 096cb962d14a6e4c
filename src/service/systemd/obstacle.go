package systemd

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// outside is the way for services that let no tracer in.
func outside(service string) string {
	return "watch it from outside: systemctl enable --now " + attachPrefix + service
}

// obstacles are the directives that take from a tracer what it needs; the tracer lives in the service's own sandbox. Each
// gives a reason, or nothing.
var obstacles = []func(h Host, s unit.File) string{
	func(_ Host, s unit.File) string {
		if !allows(s.All("Service", "SystemCallFilter"), holdsPtrace) {
			return "SystemCallFilter= forbids ptrace"
		}
		return ""
	},
	func(_ Host, s unit.File) string {
		list := words(s.All("Service", "SystemCallArchitectures"))
		if len(list) > 0 && !slices.Contains(list, "native") && !slices.Contains(list, architectures[runtime.GOARCH]) {
			return "SystemCallArchitectures= forbids the tracer's own"
		}
		return ""
	},
	func(_ Host, s unit.File) string {
		if !allows(s.All("Service", "RestrictAddressFamilies"), func(word string) bool { return word == "AF_INET" }) {
			return "RestrictAddressFamilies= forbids AF_INET, the way to the probe"
		}
		return ""
	},
	func(_ Host, s unit.File) string {
		for _, key := range []string{"PrivateNetwork", "NetworkNamespacePath"} {
			value := s.Last("Service", key)
			if off, isBool := unit.Boolean(value); value != "" && (off || !isBool) {
				return key + "= cuts the service off from the probe"
			}
		}
		return ""
	},
	func(_ Host, s unit.File) string {
		if covers(s.All("Service", "IPAddressDeny")) && !covers(s.All("Service", "IPAddressAllow")) {
			return "IPAddressDeny= cuts the service off from the probe at 127.0.0.1"
		}
		return ""
	},
	func(_ Host, s unit.File) string {
		if !allows(s.All("Service", "RestrictNetworkInterfaces"), func(word string) bool { return word == "lo" }) {
			return "RestrictNetworkInterfaces= forbids lo, the way to the probe"
		}
		return ""
	},
	func(h Host, s unit.File) string {
		if path := above(inaccessible(s), h.Tracer); path != "" {
			return fmt.Sprintf("InaccessiblePaths=%s hides the tracer", path)
		}
		return ""
	},
	func(_ Host, s unit.File) string {
		for _, key := range []string{"AppArmorProfile", "SELinuxContext"} {
			if s.Last("Service", key) != "" {
				return key + "= is made for the service's program and would confine the tracer"
			}
		}
		return ""
	},
	func(h Host, s unit.File) string {
		const why = "Type=forking without PIDFile= has systemd guess the main process, "
		switch {
		case !guesses(s):
		case h.Original:
			return why + "which it can't with this tracer beside"
		case !allows(s.All("Service", "RestrictAddressFamilies"), func(word string) bool { return word == "AF_UNIX" }):
			return why + "and RestrictAddressFamilies= forbids AF_UNIX, by which a tracer tells it"
		case above(inaccessible(s), notify) != "":
			return why + "and what is inaccessible includes " + notify + ", by which a tracer tells it"
		}
		return ""
	},
	blinds,
	cramps,
}

// inaccessible are the paths that a service may not see.
func inaccessible(s unit.File) []string {
	return append(words(s.All("Service", "InaccessiblePaths")), words(s.All("Service", "InaccessibleDirectories"))...)
}

// guesses tells whether systemd is to find the main process of a forking service by itself.
func guesses(s unit.File) bool {
	guess, given := unit.Boolean(s.Last("Service", "GuessMainPID"))
	return s.Last("Service", "Type") == "forking" && s.Last("Service", "PIDFile") == "" && (guess || !given)
}

// architectures are systemd's names.
var architectures = map[string]string{"amd64": "x86-64", "arm64": "arm64"}

func holdsPtrace(word string) bool {
	call, _, _ := strings.Cut(word, ":") // what follows is the error that the call gets
	return call == "ptrace" || call == "@debug" || call == "@known"
}

// allows goes through the lines of a list that permits, or with ~ forbids. The first line decides which of both the list
// is; a line of the other kind takes away from it (systemd.exec(5), SystemCallFilter=).
func allows(lines []string, means func(word string) bool) bool {
	if len(lines) == 0 {
		return true
	}
	listed, forbidding := false, strings.HasPrefix(lines[0], "~")
	for _, line := range lines {
		rest, inverted := strings.CutPrefix(line, "~")
		if slices.ContainsFunc(strings.Fields(rest), means) {
			listed = inverted == forbidding
		}
	}
	return listed != forbidding
}

// covers tells whether a list of addresses holds 127.0.0.1.
func covers(lines []string) bool {
	local := netip.MustParseAddr("127.0.0.1")
	return slices.ContainsFunc(words(lines), func(word string) bool {
		if word == "any" || word == "localhost" {
			return true
		}
		if prefix, err := netip.ParsePrefix(word); err == nil {
			return prefix.Contains(local)
		}
		addr, err := netip.ParseAddr(word)
		return err == nil && addr == local
	})
}

// words splits lines of words, unquoted where that is possible.
func words(lines []string) []string {
	var list []string
	for _, line := range lines {
		split, err := unit.Words(line)
		if err != nil {
			continue
		}
		for _, word := range split {
			if plain, err := unit.Unquote(word); err == nil {
				list = append(list, plain)
			}
		}
	}
	return list
}

// above gives the first of some paths that is path or a folder above it. The flags before a path are passed over (- is for
// what may be missing, + for what lies below RootDirectory=), and so are the options after a colon.
func above(list []string, path string) string {
	for _, entry := range list {
		folder, _, _ := strings.Cut(strings.TrimLeft(entry, "-+"), ":")
		folder = strings.TrimRight(folder, "/")
		if path == folder || strings.HasPrefix(path, folder+"/") {
			return entry
		}
	}
	return ""
}
