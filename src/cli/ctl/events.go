package ctl

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/probe/sinks"
	"github.com/ebpfless/ebpfless/src/unit"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func eventsCommand() *cobra.Command {
	var output, path string
	var follow bool
	cmd := &cobra.Command{Use: "events [NAME]", Short: "Show what was detected, of all services or one", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = trimSuffix(args[0])
				if err := unit.CheckName(name); err != nil {
					return err
				}
			}
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %q is neither text nor json", output)
			}
			file, err := os.Open(path)
			if err != nil {
				return fail("--file names the file that the probe writes (system-probe run --output); reading it takes root", "%v", err)
			}
			show := &shown{out: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), json: output == "json", service: name}
			return sinks.Follow(cmd.Context(), file, follow, show.one)
		}}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json, a line each")
	cmd.Flags().StringVar(&path, "file", sinks.DefaultPath, "file that the probe writes to")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is detected from now on")
	return cmd
}

// shown are the detections that are asked for.
type shown struct {
	out, stderr io.Writer
	json        bool
	service     string
}

// one shows a detection if it is asked for.
func (s *shown) one(line []byte) error {
	var d probe.Detection
	if err := json.Unmarshal(line, &d); err != nil {
		fmt.Fprintf(s.stderr, "cwsctl: passed over a line that is no detection: %v\n", err)
		return nil
	}
	if d.IsNotice() && !s.json || s.service != "" && !concerns(&d, s.service) {
		return nil
	}
	if s.json {
		_, err := s.out.Write(line)
		return err
	}
	file, isFile := s.out.(*os.File)
	fmt.Fprintf(s.out, "%s ", d.Date)
	return sinks.Pretty{Out: s.out, Colour: isFile && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(file.Fd()))}.Write(&d)
}

// concerns tells whether a detection is of a service: by the control group where there is one, which for attached services
// is that of their tracer, and otherwise by the names of the process and its ancestors.
func concerns(d *probe.Detection, service string) bool {
	if d.CGroup != nil && strings.Contains(d.CGroup.ID, unit.Suffix) {
		groups := strings.Split(d.CGroup.ID, "/")
		return slices.ContainsFunc([]string{service, "cws-wrap@" + service, "cws-attach@" + service}, func(name string) bool {
			return slices.Contains(groups, name+unit.Suffix)
		})
	}
	if d.Process == nil {
		return false
	}
	for _, p := range append(d.Process.Ancestors, d.Process) {
		if p.Executable != nil && p.Executable.Name == service || p.Comm == service || slices.Contains(p.Args, "/etc/init.d/"+service) {
			return true
		}
	}
	return false
}
