package probe

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/spf13/cobra"
)

func configSetCommand() *cobra.Command {
	var environment bool
	cmd := &cobra.Command{Use: "set KEY VALUE | --environment", Short: "Change keys of the configuration file and nothing else in it",
		Long: "Change keys of the configuration file and nothing else in it; the file of before stays beside it as FILE.bak. Secrets are not\n" +
			"for ps(1): the value - is read from standard input, and --environment writes what the DD_ variables say, all or nothing.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 && (!environment || len(args) != 0) {
				return refuse("see "+cmd.CommandPath()+" --help", "a key and a value are needed, or --environment")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return setEnvironment(cmd)
			}
			value, err := valueOf(args[1], cmd.InOrStdin())
			if err != nil {
				return err
			}
			return set(cmd, config.Setting{Key: args[0], Value: value})
		}}
	cmd.Flags().BoolVar(&environment, "environment", false, "write what the DD_ variables of the environment say")
	return cmd
}

func setEnvironment(cmd *cobra.Command) error {
	settings, unknown := config.FromEnvironment(os.Environ())
	for _, name := range unknown {
		fmt.Fprintf(cmd.ErrOrStderr(), "system-probe: %s is not known here and is not written\n", name)
	}
	return set(cmd, settings...)
}

func valueOf(arg string, in io.Reader) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the value: %w", err)
	}
	return strings.TrimSuffix(line, "\n"), nil
}

func set(cmd *cobra.Command, settings ...config.Setting) error {
	path, err := cmd.Flags().GetString("config")
	if err != nil {
		return err
	}
	changed, err := config.SetFile(path, settings...)
	if err != nil {
		return refuse("", "%v", err)
	}
	if changed {
		for _, s := range settings {
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %s is set\n", path, s.Key)
		}
	}
	return nil
}
