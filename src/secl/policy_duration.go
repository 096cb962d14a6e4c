package secl

import (
	"strconv"

	"gopkg.in/yaml.v3"
)

// nanoseconds gives the durations of a rule a unit where they have none: whole numbers count nanoseconds in policies,
// and mean nothing to the YAML library.
func nanoseconds(rule *yaml.Node) {
	withUnit(valueOf(rule, "every"))
	actions := valueOf(rule, "actions")
	if actions == nil || actions.Kind != yaml.SequenceNode {
		return
	}
	for _, action := range actions.Content {
		if set := valueOf(action, "set"); set != nil {
			withUnit(valueOf(set, "ttl"))
		}
	}
}

func withUnit(n *yaml.Node) {
	if n == nil || n.Kind != yaml.ScalarNode {
		return
	}
	if _, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
		n.Tag, n.Value = "!!str", n.Value+"ns"
	}
}
