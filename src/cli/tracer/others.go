package tracer

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ebpfless/ebpfless/src/tracer/launch"
	"github.com/spf13/cobra"
)

func healthCommand() *cobra.Command {
	return &cobra.Command{Use: "health", Short: "Print OK: for container health checks", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), "OK")
			return err
		}}
}

func setupCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{Use: "setup", Short: "Copy this program into a volume that another container mounts", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if dir == "" {
				return refuse("setup --cws-volume-mount DIR", "--cws-volume-mount is missing")
			}
			return install(filepath.Join(dir, "cws-instrumentation"))
		}}
	cmd.Flags().StringVar(&dir, "cws-volume-mount", "", "folder that the program is copied into")
	return cmd
}

// install puts the copy in place by a rename, so that nobody ever starts half a program.
func install(path string) error {
	source, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	defer source.Close()
	target, err := os.CreateTemp(filepath.Dir(path), ".cws-instrumentation-*")
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	defer os.Remove(target.Name())
	_, err = io.Copy(target, source)
	if err == nil {
		err = target.Chmod(0o755)
	}
	if closeErr := target.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(target.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("copy this program to %q: %w", path, err)
	}
	return nil
}

// injectCommand hands a user's session to a kernel probe in the original. There is none here, so what is left is the
// command that follows.
func injectCommand() *cobra.Command {
	var data, session string
	cmd := &cobra.Command{Use: "inject [flags] -- CMD [ARG...]", Short: "Run a command in place (user sessions need the eBPF probe)",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(data) > 1024 {
				return refuse("a session has at most 1024 bytes", "--data has %d bytes", len(data))
			}
			path, err := find(args[0])
			if err != nil {
				return err
			}
			return launch.Become(launch.Command{Path: path, Args: args, Env: os.Environ(), UID: -1, GID: -1}, nil)
		}}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVar(&data, "data", "", "session, at most 1024 bytes")
	cmd.Flags().StringVar(&session, "session-type", "", "k8s or ssh")
	return cmd
}

// selftestsCommand makes the events by which the original's probe tests itself.
func selftestsCommand() *cobra.Command {
	var runs, opens bool
	var program, path string
	var args []string
	cmd := &cobra.Command{Use: "selftests", Short: "Make the events of the probe's self test", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if opens {
				f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					return fmt.Errorf("self test: %w", err)
				}
				f.Close()
				defer os.Remove(path)
			}
			if runs {
				if err := exec.Command(program, args...).Run(); err != nil {
					return fmt.Errorf("self test: run %q: %w", program, err)
				}
			}
			return nil
		}}
	cmd.Flags().BoolVar(&runs, "exec", false, "execute a program")
	cmd.Flags().StringVar(&program, "exec.path", "/usr/bin/date", "the program")
	cmd.Flags().StringSliceVar(&args, "exec.args", nil, "its arguments")
	cmd.Flags().BoolVar(&opens, "open", false, "open a file")
	cmd.Flags().StringVar(&path, "open.path", "/tmp/open.test", "the file")
	return cmd
}
