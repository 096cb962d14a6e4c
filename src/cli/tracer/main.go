// Package tracer is the command line of cws-instrumentation: flags, messages and exit codes. What they ask for is done
// elsewhere.
package tracer

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Version is set by the linker.
var Version = "0.0.0-dev"

// refusal is an exit status of 2: the command line asks for something that can't be.
type refusal struct {
	err  error
	hint string
}

func (r refusal) Error() string { return r.err.Error() }

func refuse(hint, format string, args ...any) error {
	return refusal{err: fmt.Errorf(format, args...), hint: hint}
}

// exitStatus ends the program with a status that is somebody else's, without a message.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Main runs the command line and gives the exit status: 0, 1 for failures, 2 for what is refused, or that of the
// application where this process has stayed its parent.
func Main(args []string, stdout, stderr io.Writer) int {
	root := command()
	root.SetArgs(args[1:])
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var status exitStatus
	var refused refusal
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &refused):
		fmt.Fprintf(stderr, "cws-instrumentation: %v\n", err)
		if refused.hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", refused.hint)
		}
		return 2
	}
	fmt.Fprintf(stderr, "cws-instrumentation: %v\n", err)
	return 1
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "cws-instrumentation",
		Short:         "Watch what a program does and tell the probe",
		Version:       Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return refuse("see cws-instrumentation --help", "unknown command %q", args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return refuse("see "+cmd.CommandPath()+" --help", "%v", err)
	})
	root.AddCommand(traceCommand(), setupCommand(), healthCommand(), injectCommand(), guardCommand(), loopCommand(), drainCommand(), subjectCommand())
	return root
}

// self is this program as a command line shows it.
func self() string {
	if path, err := os.Executable(); err == nil {
		return path
	}
	return os.Args[0]
}
