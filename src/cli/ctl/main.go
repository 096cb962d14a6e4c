// Package ctl is the command line of cwsctl, the administrator's tool: flags, messages and exit codes.
package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// Version is set by the linker.
var Version = "0.0.0-dev"

// failure is an error that is the host's and not the command line's.
type failure struct {
	err  error
	hint string
}

func (f failure) Error() string { return f.err.Error() }
func (f failure) Unwrap() error { return f.err }

// fail makes an exit status of 1.
func fail(hint, format string, args ...any) error {
	return failure{err: fmt.Errorf(format, args...), hint: hint}
}

// explain makes a failure of an error from below the command line.
func explain(err error) error {
	var failed failure
	if err == nil || errors.As(err, &failed) || errors.Is(err, errProblems) {
		return err
	}
	return failure{err: err, hint: hintOf(err)}
}

// hintOf is what can be done about an error.
func hintOf(err error) string {
	var failed failure
	var obstacle *service.Obstacle
	switch {
	case errors.As(err, &failed) && failed.hint != "":
		return failed.hint
	case errors.As(err, &obstacle):
		return obstacle.Hint
	}
	return ""
}

// complain writes one line about a service, or about the whole where the name is empty, and what to do.
func complain(stderr io.Writer, name string, err error) {
	if name != "" {
		name += ": "
	}
	fmt.Fprintf(stderr, "cwsctl: %s%v\n", name, err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", hint)
	}
}

// Main runs the command line and gives the exit status: 0, 1 when something is wrong, 2 for what can't be understood.
func Main(args []string, stdout, stderr io.Writer) int {
	if filepath.Base(args[0]) == generatorName {
		return generate(args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	root := command()
	root.SetArgs(args[1:])
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	var failed failure
	var end ending
	switch {
	case err == nil:
		return 0
	case errors.As(err, &end):
		return end.end()
	case err == errProblems:
		return 1
	case errors.As(err, &failed):
		complain(stderr, "", err)
		return 1
	}
	fmt.Fprintf(stderr, "cwsctl: %v\nhint: see cwsctl --help\n", err)
	return 2
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "cwsctl", Short: "Look after tracers and probe", Version: Version, SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(wrapCommand(), attachCommand(), unwrapCommand(), listCommand(), statusCommand(), eventsCommand(),
		generateCommand(), doctorCommand(), subjectCommand(), hookCommand(), &cobra.Command{
			Use: "version", Short: "Print the version", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "cwsctl", Version)
				return err
			},
		})
	return root
}
