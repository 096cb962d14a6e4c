package probe

import (
	"fmt"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/spf13/cobra"
)

func policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Look at policies"}
	cmd.AddCommand(&cobra.Command{
		Use: "check [FILE...]", Short: "Say for each rule whether it can be served, and why not",
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			return check(cmd, c, files)
		},
	})
	return cmd
}

// check judges the files, or those of the configured directory. Any refused rule makes it fail.
func check(cmd *cobra.Command, c *config.Config, files []string) error {
	var rules *secl.RuleSet[probe.Context]
	model := probe.NewModel()
	if len(files) == 0 {
		var err error
		if rules, err = probe.LoadPolicies(model, c.PolicyDir, thisHost(c), c.Enforcement); err != nil {
			return err
		}
	} else {
		var policies []*secl.Policy
		for _, file := range files {
			policies = append(policies, secl.LoadFile(file))
		}
		rules = probe.Rules(model, policies, thisHost(c), c.Enforcement)
	}
	refused := 0
	for _, o := range rules.Outcomes {
		fmt.Fprintln(cmd.OutOrStdout(), o)
		if o.Caret != "" {
			fmt.Fprintln(cmd.OutOrStdout(), o.Caret)
		}
		for _, warning := range o.Warnings {
			fmt.Fprintln(cmd.OutOrStdout(), "  warning:", warning)
		}
		if o.Status == secl.Failed {
			refused++
		}
	}
	if refused > 0 {
		return fmt.Errorf("%d of %d definitions are refused", refused, len(rules.Outcomes))
	}
	return nil
}
