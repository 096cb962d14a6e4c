package probe

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/probe/sinks"
	"github.com/spf13/cobra"
)

func eventsCommand() *cobra.Command {
	var path string
	var follow bool
	var last int
	cmd := &cobra.Command{Use: "events", Short: "Show what was detected, and with -f what is detected from now on", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if last < 1 {
				return refuse("-n takes a number from 1", "-n %d shows nothing", last)
			}
			file, err := os.Open(path)
			if err != nil {
				return refuse("--file names the file that the probe writes (system-probe run --output); reading it takes root", "%v", err)
			}
			if err := sinks.Last(file, last); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			pretty := sinks.Pretty{Out: out, Colour: coloured(out)}
			return sinks.Follow(cmd.Context(), file, follow, func(line []byte) error {
				var d probe.Detection
				err := json.Unmarshal(line, &d)
				switch {
				case err == nil && d.IsNotice():
					return nil
				case err != nil || d.Process == nil:
					fmt.Fprintln(cmd.ErrOrStderr(), "system-probe: passed over a line that is no detection")
					return nil
				}
				fmt.Fprintf(out, "%s ", d.Date)
				return pretty.Write(&d)
			})
		}}
	cmd.Flags().StringVar(&path, "file", sinks.DefaultPath, "file that the probe writes to")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is detected from now on")
	cmd.Flags().IntVarP(&last, "lines", "n", 10, "how many of the last detections to begin with")
	return cmd
}
