package ctl

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/spf13/cobra"
)

// row is a watched service with its tracers.
type row struct {
	service.Entry
	Traced  int     `json:"traced"` // processes
	Events  uint64  `json:"events"`
	Dropped uint64  `json:"dropped"` // events that found no room
	CPU     float64 `json:"cpu"`     // processor time of the tracers, as a part of the time since they began
}

func listCommand() *cobra.Command {
	var output string
	var names bool
	cmd := &cobra.Command{Use: "list", Short: "List what is wrapped or attached", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		rows, err := watchedRows(cmd.Context())
		if err != nil {
			return err
		}
		if names {
			for _, r := range rows {
				fmt.Fprintln(cmd.OutOrStdout(), r.Service)
			}
			return nil
		}
		return show(cmd.OutOrStdout(), output, rows, func(out io.Writer) { table(out, rows) })
	}}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	cmd.Flags().BoolVar(&names, "names", false, "print the names alone, for scripts")
	return cmd
}

func statusCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{Use: "status NAME", Short: "Tell how a service is watched", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		all, err := watchedRows(cmd.Context())
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(r row) bool { return r.Service != trimSuffix(args[0]) })
		if len(all) == 0 {
			return fail("cwsctl wrap "+args[0], "%s is neither wrapped nor attached", args[0])
		}
		if err := show(cmd.OutOrStdout(), output, all, func(out io.Writer) { details(out, all) }); err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(r row) bool { return r.Note != "" }) {
			return errProblems
		}
		return nil
	}}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// watchedRows puts services and tracers together: a tracer belongs to the service whose processes it follows, or whose start it was
// told to run.
func watchedRows(ctx context.Context) ([]row, error) {
	found, err := system()
	if err != nil {
		return nil, explain(err)
	}
	entries, err := found.List(ctx)
	if err != nil {
		return nil, explain(err)
	}
	tracers, err := service.Tracers()
	if err != nil {
		return nil, explain(err)
	}
	list := make([]row, 0, len(entries))
	for _, entry := range entries {
		r := row{Entry: entry}
		var spent, age time.Duration
		for _, t := range tracers {
			if !slices.ContainsFunc(t.Processes, func(pid int) bool { return slices.Contains(entry.PIDs, pid) }) {
				continue
			}
			r.Traced += len(t.Processes)
			r.Events += t.Events
			r.Dropped += t.Dropped
			spent, age = spent+t.CPU, max(age, t.Age)
		}
		if age > 0 {
			r.CPU = float64(spent) / float64(age)
		}
		if r.Note == "" && r.Traced == 0 && len(r.PIDs) > 0 {
			r.Note = "no tracer follows its processes: it was started before, or could not be traced (see its log)"
		}
		list = append(list, r)
	}
	return list, nil
}

func show(out io.Writer, format string, value any, text func(io.Writer)) error {
	switch format {
	case "text":
		text(out)
		return nil
	case "json":
		b, err := json.MarshalIndent(value, "", "  ")
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n", b)
		}
		return err
	}
	return fmt.Errorf("-o %q is neither text nor json", format)
}

func table(out io.Writer, rows []row) {
	if len(rows) == 0 {
		fmt.Fprintln(out, "nothing is wrapped or attached; cwsctl wrap NAME begins")
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tHOW\tAT BOOT\tSTATE\tPROCESSES\tTRACED\tEVENTS\tDROPPED\tCPU\tNOTE")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%.1f%%\t%s\n", r.Service, r.Mode.Past(), yes(r.Enabled), r.State,
			few(r.PIDs), r.Traced, r.Events, r.Dropped, 100*r.CPU, r.Note)
	}
	w.Flush()
}

// few are the first of some process ids, and how many more there are.
func few(pids []int) string {
	if len(pids) <= 3 {
		return strings.Trim(fmt.Sprint(pids), "[]")
	}
	return fmt.Sprintf("%d %d %d +%d", pids[0], pids[1], pids[2], len(pids)-3)
}

func details(out io.Writer, rows []row) {
	for _, r := range rows {
		fmt.Fprintf(out, "%s is %s\n", r.Service, r.Mode.Past())
		fmt.Fprintf(out, "  %-10s %s\n  %-10s %s\n", "at boot", yes(r.Enabled), "state", r.State)
		fmt.Fprintf(out, "  %-10s %d, of which %d are traced: %s\n", "processes", len(r.PIDs), r.Traced, strings.Trim(fmt.Sprint(r.PIDs), "[]"))
		fmt.Fprintf(out, "  %-10s %d, and %d dropped\n  %-10s %.1f%% of a processor\n", "events", r.Events, r.Dropped, "cost", 100*r.CPU)
		if r.Note != "" {
			fmt.Fprintf(out, "  %-10s %s\n", "note", r.Note)
		}
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
