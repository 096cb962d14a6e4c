package probe

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/spf13/cobra"
)

func policyListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list [FILE...]", Short: "Print the rules in force, after overrides, filters and what is disabled",
		RunE: func(cmd *cobra.Command, files []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			rules, err := rulesOf(c, probe.NewModel(), files)
			if err != nil {
				return err
			}
			filtered, failed, err := leftOut(rules)
			if err != nil {
				return err
			}
			if filtered+failed > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "system-probe: %d definitions are left out and %d refused: policy check says why\n", filtered, failed)
			}
			if asJSON {
				return listJSON(cmd.OutOrStdout(), rules)
			}
			return list(cmd.OutOrStdout(), rules)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "a line of JSON for each rule")
	return cmd
}

// listed is a rule as --json prints it.
type listed struct {
	ID         string            `json:"id"`
	File       string            `json:"file"`
	Line       int               `json:"line"`
	Event      string            `json:"event"`
	Expression string            `json:"expression"`
	Tags       map[string]string `json:"tags,omitempty"`
	Actions    []string          `json:"actions,omitempty"`
	Every      string            `json:"every,omitempty"`
}

func listedOf(r *secl.Rule[probe.Context]) listed {
	l := listed{
		ID: r.Def.ID, File: r.Def.Policy.File, Line: r.Def.At.Line, Event: r.Program.Event,
		Expression: r.Program.Source, Tags: r.Def.Tags,
	}
	for _, a := range r.Actions {
		l.Actions = append(l.Actions, deed(a.Def))
	}
	if r.Def.Every > 0 {
		l.Every = r.Def.Every.String()
	}
	return l
}

// deed names an action.
func deed(a *secl.Action) string {
	switch {
	case a.Kill != nil:
		return strings.TrimSpace("kill " + a.Kill.Signal + " " + a.Kill.Scope)
	case a.Set != nil:
		return "set " + a.Set.Name
	case a.Hash != nil:
		return "hash"
	}
	return "log"
}

func listJSON(out io.Writer, rules *secl.RuleSet[probe.Context]) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, r := range rules.Rules {
		if err := encoder.Encode(listedOf(r)); err != nil {
			return err
		}
	}
	return nil
}

// list prints a line for each rule in columns, and its expression below it.
func list(out io.Writer, rules *secl.RuleSet[probe.Context]) error {
	// The columns are made first: an expression in between would widen one of them.
	var columns strings.Builder
	table := tabwriter.NewWriter(&columns, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RULE\tEVENT\tSEVERITY\tEVERY\tACTIONS\tDEFINED\tTAGS")
	for _, r := range rules.Rules {
		l := listedOf(r)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s:%d\t%s\n", l.ID, l.Event, dash(l.Tags["severity"]), dash(l.Every),
			dash(strings.Join(l.Actions, ", ")), filepath.Base(l.File), l.Line, tagsOf(l.Tags))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	lines := strings.Split(columns.String(), "\n")
	fmt.Fprintln(out, lines[0])
	for i, r := range rules.Rules {
		_, err := fmt.Fprintf(out, "%s\n    %s\n", lines[i+1], strings.ReplaceAll(strings.TrimSpace(r.Program.Source), "\n", "\n    "))
		if err != nil {
			return err
		}
	}
	return nil
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func tagsOf(tags map[string]string) string {
	var all []string
	for name, value := range tags {
		if name != "severity" {
			all = append(all, name+":"+value)
		}
	}
	slices.Sort(all)
	return dash(strings.Join(all, " "))
}
