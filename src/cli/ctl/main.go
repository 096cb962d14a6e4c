// Package ctl is the command line of cwsctl, the administrator's tool: flags, messages and exit codes.
package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"

	"github.com/ebpfless/ebpfless/src/service/systemd"
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

// explain gives an error from below its hint.
func explain(err error) error {
	var obstacle *systemd.Obstacle
	switch {
	case err == nil:
		return nil
	case errors.As(err, &obstacle):
		return failure{err: err, hint: obstacle.Hint}
	}
	return failure{err: err}
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
	switch {
	case err == nil:
		return 0
	case err == errProblems:
		return 1
	case errors.As(err, &failed):
		fmt.Fprintf(stderr, "cwsctl: %v\n", err)
		if failed.hint != "" {
			fmt.Fprintf(stderr, "hint: %s\n", failed.hint)
		}
		return 1
	}
	fmt.Fprintf(stderr, "cwsctl: %v\nhint: see cwsctl --help\n", err)
	return 2
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "cwsctl", Short: "Look after tracers and probe", Version: Version, SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(doctorCommand(), hookCommand(), &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "cwsctl", Version)
			return err
		},
	})
	return root
}
