// Package probe is the command line of system-probe: flags, messages and exit codes. What they ask for is done elsewhere.
package probe

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/spf13/cobra"
)

// Version is set by the linker.
var Version = "0.0.0-dev"

// refusal is an exit status of 2: the command line or the configuration is wrong.
type refusal struct {
	err  error
	hint string
}

func (r refusal) Error() string { return r.err.Error() }

func refuse(hint, format string, args ...any) error {
	return refusal{err: fmt.Errorf(format, args...), hint: hint}
}

// Main runs the command line and gives the exit status: 0, 1 for failures, 2 for what is refused.
func Main(args []string, stdout, stderr io.Writer) int {
	root := command()
	root.SetArgs(args[1:])
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "system-probe: %v\n", err)
	var refused refusal
	if !errors.As(err, &refused) {
		return 1
	}
	if refused.hint != "" {
		fmt.Fprintf(stderr, "hint: %s\n", refused.hint)
	}
	return 2
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "system-probe", Short: "Judge what tracers report by rules", Version: Version,
		SilenceUsage: true, SilenceErrors: true, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return refuse("see system-probe --help", "unknown command %q", args[0])
			}
			return cmd.Help()
		},
	}
	root.PersistentFlags().StringP("config", "c", config.DefaultPath, "configuration file")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return refuse("see "+cmd.CommandPath()+" --help", "%v", err)
	})
	root.AddCommand(runCommand(), configCommand(), policyCommand(), eventsCommand(), statusCommand(), versionCommand())
	return root
}

func versionCommand() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "system-probe", Version)
			return err
		}}
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Print the effective configuration", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			return c.WriteYAML(cmd.OutOrStdout())
		}}
	cmd.AddCommand(configSetCommand())
	return cmd
}

// load reads the configuration that --config names, and says what it ignores.
func load(cmd *cobra.Command) (*config.Config, error) {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return nil, err
	}
	c, warnings, err := config.Load(path, os.Environ())
	if err != nil {
		return nil, refuse("correct it; nothing was started", "%v", err)
	}
	for _, warning := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "system-probe: %s\n", warning)
	}
	return c, nil
}
