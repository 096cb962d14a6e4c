package config

import (
	"slices"
	"strings"
)

// Setting is a key and its value, written as for an environment variable.
type Setting struct{ Key, Value string }

// FromEnvironment gives what the environment (NAME=value) sets, in the order of the keys, and the variables of this part of
// the configuration that no key is known for.
func FromEnvironment(environ []string) (settings []Setting, unknown []string) {
	values := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "DD_") && value != "" {
			values[name] = value
		}
	}
	for _, r := range rows {
		for _, name := range append([]string{variable(r.key)}, r.aliases...) {
			if value, set := values[name]; set {
				settings = append(settings, Setting{r.key, value})
				delete(values, name)
				break
			}
		}
	}
	for name := range values {
		if strings.HasPrefix(name, variable(cws)) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return settings, unknown
}

// variable gives the name of the environment variable of a key.
func variable(key string) string { return "DD_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_")) }
