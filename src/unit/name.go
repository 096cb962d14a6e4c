package unit

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/coreos/go-systemd/v22/unit"
)

// Suffix ends the names of services.
const Suffix = ".service"

// name is what a service may be called without its suffix: the characters of unit names (systemd.unit(5)), with a backslash
// only where it begins an escape.
var name = regexp.MustCompile(`^(?:[A-Za-z0-9:_.@-]|\\x[0-9a-f]{2})+$`)

// CheckName refuses what is no name of a service. A name that passes contains nothing that a path, a pattern or a shell
// would take for more than a letter, the backslash of escapes excepted.
func CheckName(service string) error {
	switch {
	case service == "":
		return errors.New("the name of a service is empty")
	case len(service) > 255-len(Suffix):
		return fmt.Errorf("%.20q… is too long for the name of a service", service)
	case !name.MatchString(service) || strings.Contains(service, "..") || strings.HasPrefix(service, "-") || strings.HasPrefix(service, "."):
		return fmt.Errorf("%q is no name of a service", service)
	case strings.HasSuffix(service, "@"):
		return fmt.Errorf("%q is a template, not a service: name an instance such as %sNAME", service, service)
	}
	return nil
}

// Template gives the template of an instance, foo@ for foo@bar; empty for what is none.
func Template(service string) string {
	before, after, found := strings.Cut(service, "@")
	if !found || after == "" || before == "" {
		return ""
	}
	return before + "@"
}

// Unescape undoes systemd-escape(1): what foo\x2dbar stands for.
func Unescape(service string) string { return unit.UnitNameUnescape(service) }

// Unescaped are names under which a service may be meant by what stands in an instance: as it is, and unescaped.
func Unescaped(instance string) []string {
	candidates := []string{instance}
	if plain := Unescape(instance); plain != instance && CheckName(plain) == nil {
		candidates = append(candidates, plain)
	}
	return candidates
}
