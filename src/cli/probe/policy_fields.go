package probe

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/spf13/cobra"
)

func policyFieldsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "fields [EVENT]", Short: "Print the fields that rules may name, their types, and whether this probe can serve them",
		Long: "Print the fields that rules may name, their types, and whether this probe can serve them.\n" +
			"EVENT is an event type such as open, or what all events have: process, container, cgroup, event.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			model := probe.NewModel()
			list := model.Fields()
			if len(args) > 0 {
				list = slices.DeleteFunc(list, func(f secl.FieldInfo) bool { return group(f.Name) != args[0] })
			}
			if len(args) > 0 && slices.Contains(model.OtherEvents(), args[0]) {
				return fmt.Errorf("%s events can't be seen in eBPF-less mode", args[0])
			}
			if len(list) == 0 {
				return refuse("known are "+strings.Join(groups(model), ", "), "%q is no event type", args[0])
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "FIELD\tTYPE\tSERVED")
			for _, f := range list {
				fmt.Fprintf(table, "%s\t%s\t%s\n", f.Name, typeOf(f), served(f))
			}
			if len(args) == 0 {
				for _, name := range model.OtherEvents() {
					fmt.Fprintf(table, "%s.*\t-\trefused: such events can't be seen in eBPF-less mode\n", name)
				}
			}
			return table.Flush()
		},
	}
}

// group is what a field's name begins with.
func group(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return first
}

func groups(model *secl.Model[probe.Context]) []string {
	var names []string
	for _, f := range model.Fields() {
		names = append(names, group(f.Name))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func typeOf(f secl.FieldInfo) string {
	text := f.Type.String()
	if f.Array {
		text = "list of " + text
	}
	if f.Walked != "" {
		text += ", of each"
	}
	return text
}

func served(f secl.FieldInfo) string {
	if f.Reason != "" {
		return "always empty: " + f.Reason
	}
	return "yes"
}
