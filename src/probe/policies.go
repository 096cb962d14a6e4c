package probe

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/ebpfless/ebpfless/src/secl"
)

// AgentVersion is the version of the original that agent_version constraints of policies are compared with.
const AgentVersion = "7.70.0"

// LoadPolicies reads the policies of a directory and makes a rule set. A directory that isn't there has none. What is
// wrong with single rules or files is in the rule set's outcomes.
func LoadPolicies(model *secl.Model[Context], dir string, host secl.Host, enforcement bool) (*secl.RuleSet[Context], error) {
	policies, err := secl.LoadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("load policies: %w", err)
	}
	return Rules(model, policies, host, enforcement), nil
}

// Rules makes a rule set of policies that are at hand. Without enforcement, rules that kill are refused.
func Rules(model *secl.Model[Context], policies []*secl.Policy, host secl.Host, enforcement bool) *secl.RuleSet[Context] {
	return secl.NewRuleSet(model, policies, secl.Options{AgentVersion: AgentVersion, Host: host, NoEnforcement: !enforcement})
}
