package ctl

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/probe/sinks"
	"github.com/ebpfless/ebpfless/src/unit"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// detectionsFile is where the packaged probe writes its detections.
const detectionsFile = "/var/log/datadog/runtime-security.json"

// longestLine bounds what is read of one detection.
const longestLine = 4 << 20

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
			defer file.Close()
			show := &shown{out: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), json: output == "json", service: name}
			return show.all(cmd.Context(), file, follow)
		}}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json, a line each")
	cmd.Flags().StringVar(&path, "file", detectionsFile, "file that the probe writes to")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is detected from now on")
	return cmd
}

// shown are the detections that are asked for.
type shown struct {
	out, stderr io.Writer
	json        bool
	service     string
}

// all shows what a file holds, and what is added while it is followed. A file that is rotated away is followed by the new
// one of its name.
func (s *shown) all(ctx context.Context, file *os.File, follow bool) error {
	reader := bufio.NewReaderSize(file, 64<<10)
	var line []byte
	for {
		part, err := reader.ReadBytes('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			if err := s.one(line); err != nil {
				return err
			}
			line = line[:0]
			continue
		case !errors.Is(err, io.EOF):
			return fail("", "read detections: %v", err)
		case !follow:
			return nil
		case len(line) > longestLine:
			return fail("", "read detections: a line of more than %d bytes", longestLine)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
		if next := rotated(file); next != nil {
			file.Close()
			file = next
			reader.Reset(file)
			line = line[:0]
		}
	}
}

// rotated gives the file that has taken another's name, and nil while it is the same.
func rotated(file *os.File) *os.File {
	old, err := file.Stat()
	if err != nil {
		return nil
	}
	current, err := os.Stat(file.Name())
	if err != nil || os.SameFile(old, current) {
		return nil
	}
	next, err := os.Open(file.Name())
	if err != nil {
		return nil
	}
	return next
}

// one shows a detection if it is asked for.
func (s *shown) one(line []byte) error {
	var d probe.Detection
	if err := json.Unmarshal(line, &d); err != nil {
		fmt.Fprintf(s.stderr, "cwsctl: passed over a line that is no detection: %v\n", err)
		return nil
	}
	if s.service != "" && !concerns(&d, s.service) {
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
