package probe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/spf13/cobra"
)

func policyCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE...]", Short: "Say for each rule whether it can be served, and why not",
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			rules, err := rulesOf(c, probe.NewModel(), files)
			if err != nil {
				return err
			}
			return check(cmd, rules)
		},
	}
}

// check tells every outcome. Any refused rule makes it fail.
func check(cmd *cobra.Command, rules *secl.RuleSet[probe.Context]) error {
	refused := 0
	for _, o := range inOrder(rules.Outcomes) {
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

// inOrder sorts what is said of files as they were read, and of each file from top to bottom.
func inOrder(outcomes []secl.Outcome) []secl.Outcome {
	files := map[string]int{}
	for _, o := range outcomes {
		if _, known := files[o.File]; !known {
			files[o.File] = len(files)
		}
	}
	sorted := slices.Clone(outcomes)
	slices.SortStableFunc(sorted, func(a, b secl.Outcome) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line))
	})
	return sorted
}
