package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/spf13/cobra"
)

func policyEvalCommand() *cobra.Command {
	var file string
	var policies []string
	cmd := &cobra.Command{
		Use: "eval --event FILE", Short: "Say which rules a recorded event hits, and which parts of them were true",
		Long: `Say which rules a recorded event hits, and which parts of them were true.

FILE holds detections as the probe writes them (run --output), in lines or not; - is standard input. An event written
by hand needs no more than its name and what the rules ask for:

  {"evt": {"name": "open"}, "file": {"path": "/etc/shadow", "flags": ["O_WRONLY"]},
   "process": {"executable": {"path": "/usr/bin/vi"}}}

Detections leave out secrets in arguments, the exact result of a call, variables, and some arguments of calls: what that
is for an event is said below it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return refuse("see "+cmd.CommandPath()+" --help", "--event names no file")
			}
			c, err := load(cmd)
			if err != nil {
				return err
			}
			model := probe.NewModel()
			model.Now = func(c *probe.Context) int64 { return int64(c.Event.Time) }
			rules, err := rulesOf(c, model, policies)
			if err != nil {
				return err
			}
			if _, _, err := leftOut(rules); err != nil {
				return err
			}
			return evaluate(cmd, rules, file)
		},
	}
	cmd.Flags().StringVarP(&file, "event", "e", "", "file with the events; - is standard input")
	cmd.Flags().StringArrayVar(&policies, "policy", nil, "policy file or directory, repeatable (default: policies.dir of the configuration)")
	return cmd
}

func evaluate(cmd *cobra.Command, rules *secl.RuleSet[probe.Context], file string) error {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return refuse("--event names a file with detections", "%v", err)
		}
		defer f.Close()
		in = f
	}
	decoder := json.NewDecoder(in)
	for n := 1; ; n++ {
		var d probe.Detection
		err := decoder.Decode(&d)
		if errors.Is(err, io.EOF) && n > 1 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: event %d, before byte %d: %w", file, n, decoder.InputOffset(), err)
		}
		if d.IsNotice() {
			continue
		}
		c, lost, err := d.Context()
		if err != nil {
			return fmt.Errorf("%s: event %d: %w", file, n, err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "event %d: %s by %q (pid %d)\n", n, d.Evt.Name, c.Process.Program.Comm, c.Process.PID)
		tell(cmd.OutOrStdout(), rules, c, &d)
		if len(lost) > 0 {
			fmt.Fprintf(cmd.OutOrStdout(), "  not recorded: %s\n", strings.Join(lost, "; "))
		}
	}
}

// tell prints the rules that an event hits.
func tell(out io.Writer, rules *secl.RuleSet[probe.Context], c *probe.Context, d *probe.Detection) {
	hits := map[string]bool{}
	rules.Evaluate(c, d.Evt.Name, func(r *secl.Rule[probe.Context]) {
		hits[r.Def.ID] = true
		fmt.Fprintf(out, "  hit %s (%s:%d)\n", r.Def.ID, r.Def.Policy.File, r.Def.At.Line)
		for _, m := range r.Program.Explain(c) {
			part := strings.Join(strings.Fields(r.Program.Source[m.Offset:m.Offset+m.Length]), " ")
			if m.Value == "" {
				fmt.Fprintf(out, "    true: %s\n", part)
				continue
			}
			fmt.Fprintf(out, "    true: %s  with %q\n", part, m.Value)
		}
	})
	if len(hits) == 0 {
		fmt.Fprintf(out, "  no rule of %d is hit\n", len(rules.Rules))
	}
	if id := d.Agent.RuleID; id != "" && !hits[id] {
		fmt.Fprintf(out, "  %s, which detected it, is not hit\n", id)
	}
}
