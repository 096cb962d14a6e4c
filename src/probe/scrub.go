package probe

import (
	"regexp"
	"strings"
)

// secretName finds arguments whose value must not leave the host.
var secretName = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)`)

const hidden = "********"

// scrub copies arguments without the values of those that are named like secrets: --password=x, password=x, --token x.
func scrub(args []string) []string {
	out := make([]string, len(args))
	secretNext := false
	for i, arg := range args {
		name, _, valued := strings.Cut(arg, "=")
		switch {
		case secretNext && !strings.HasPrefix(arg, "-"):
			out[i] = hidden
		case valued && secretName.MatchString(name):
			out[i] = name + "=" + hidden
		default:
			out[i] = arg
		}
		secretNext = !valued && strings.HasPrefix(arg, "-") && secretName.MatchString(arg)
	}
	return out
}
