// Package ctl is the command line of cwsctl, the administrator's tool: flags, messages and exit codes.
package ctl

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Version is set by the linker.
var Version = "0.0.0-dev"

// Main runs the command line and gives the exit status: 0, 1 when something is wrong, 2 for what can't be understood.
func Main(args []string, stdout, stderr io.Writer) int {
	root := command()
	root.SetArgs(args[1:])
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	switch {
	case err == nil:
		return 0
	case err == errProblems:
		return 1
	}
	fmt.Fprintf(stderr, "cwsctl: %v\nhint: see cwsctl --help\n", err)
	return 2
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "cwsctl", Short: "Look after tracers and probe", Version: Version, SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(doctorCommand(), &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "cwsctl", Version)
			return err
		},
	})
	return root
}
