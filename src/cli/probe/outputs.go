package probe

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/ebpfless/ebpfless/src/probe/sinks"
	"golang.org/x/term"
)

// Bounds of the files that detections are written to.
const (
	outputSize = 100 << 20 // bytes
	outputKeep = 5         // files put aside
)

// outputs opens the sinks that the flags ask for. Nothing stays open when one of them fails.
func outputs(f *runFlags, stdout io.Writer) (sinks.Several, func(), error) {
	var all sinks.Several
	var files []*sinks.File
	end := func() {
		for _, file := range files {
			file.Close()
		}
	}
	for i, name := range f.outputs {
		if slices.Contains(f.outputs[:i], name) {
			continue
		}
		writer, file, err := output(name, f.pretty, stdout)
		if err != nil {
			err = errors.Join(err, all.Close())
			end()
			return nil, nil, err
		}
		if file != nil {
			files = append(files, file)
		}
		all = append(all, sinks.New(name, writer))
	}
	return all, end, nil
}

// output makes one writer: for "-", for "journal", or for a file.
func output(name string, pretty bool, stdout io.Writer) (sinks.Writer, *sinks.File, error) {
	var file *sinks.File
	out := stdout
	switch name {
	case "journal":
		w, err := sinks.NewJournal()
		if err != nil {
			return nil, nil, refuse("write to a file instead: --output FILE", "%v", err)
		}
		return w, nil, nil
	case "-":
	default:
		var err error
		if file, err = sinks.Open(name, outputSize, outputKeep); err != nil {
			return nil, nil, refuse("name a file in a directory that exists", "%v", err)
		}
		out = file
	}
	if pretty {
		return sinks.Pretty{Out: out, Colour: coloured(out)}, file, nil
	}
	return sinks.Lines{Out: out}, file, nil
}

// coloured follows the conventions of no-color.org and CLICOLOR_FORCE.
func coloured(out io.Writer) bool {
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if force := os.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
