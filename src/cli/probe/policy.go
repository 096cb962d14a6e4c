package probe

import (
	"fmt"
	"os"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/spf13/cobra"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Look at policies"}
	cmd.AddCommand(policyCheckCommand(), policyListCommand(), policyFieldsCommand(), policyEvalCommand())
	return cmd
}

// rulesOf makes the rules of files and directories, or of the configured directory when none is named.
func rulesOf(c *config.Config, model *secl.Model[probe.Context], files []string) (*secl.RuleSet[probe.Context], error) {
	if len(files) == 0 {
		return probe.LoadPolicies(model, c.PolicyDir, thisHost(c), c.Enforcement)
	}
	var policies []*secl.Policy
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || !info.IsDir() {
			policies = append(policies, secl.LoadFile(file)) // which says what is wrong with it
			continue
		}
		list, err := secl.LoadDir(file)
		if err != nil {
			return nil, err
		}
		policies = append(policies, list...)
	}
	return probe.Rules(model, policies, thisHost(c), c.Enforcement), nil
}

// leftOut counts what is not in force, and gives an error for files that can't be read.
func leftOut(rules *secl.RuleSet[probe.Context]) (filtered, failed int, err error) {
	for _, o := range rules.Outcomes {
		switch {
		case o.Status == secl.Failed && o.RuleID == "":
			return 0, 0, fmt.Errorf("%s", o)
		case o.Status == secl.Failed:
			failed++
		case o.Status == secl.Filtered:
			filtered++
		}
	}
	return filtered, failed, nil
}
