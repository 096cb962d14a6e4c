package ctl

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
	"github.com/spf13/cobra"
)

// generateCommand prints or writes what an init system would be given, on whatever host.
func generateCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{Use: "generate", Short: "Print what would wrap a service, or write it to a folder"}
	cmd.PersistentFlags().StringVar(&out, "out", "", "folder that gets the files (default: they are printed)")
	cmd.PersistentFlags().Bool("force", false, "for static and generated services, too")
	for _, named := range systems {
		cmd.AddCommand(&cobra.Command{Use: named.name + " NAME", Short: "For " + named.name, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				name := trimSuffix(args[0])
				if err := unit.CheckName(name); err != nil {
					return err
				}
				made, err := named.make()
				if err != nil {
					return explain(err)
				}
				plan, err := forced(cmd, made).Plan(cmd.Context(), name, service.Wrap)
				if err != nil {
					return explain(fmt.Errorf("%s: %w", name, err))
				}
				return deliver(cmd, plan, out)
			}})
	}
	return cmd
}

func deliver(cmd *cobra.Command, plan *service.Plan, folder string) error {
	for _, file := range plan.Files {
		if folder == "" {
			fmt.Fprintf(cmd.OutOrStdout(), "# %s\n%s", file.Path, file.Text)
			continue
		}
		file.Path = filepath.Join(folder, file.Path)
		if err := os.MkdirAll(filepath.Dir(file.Path), 0o755); err != nil {
			return explain(err)
		}
		if err := service.Write(file); err != nil {
			return explain(err)
		}
		fmt.Fprintln(cmd.OutOrStdout(), file.Path)
	}
	return nil
}
