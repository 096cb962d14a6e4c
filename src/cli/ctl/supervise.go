package ctl

import (
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/ebpfless/ebpfless/src/service/supervise"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// superviseCommand is what the overrides of upstart run for jobs with expect fork or expect daemon.
func superviseCommand() *cobra.Command {
	s := &supervise.Supervisor{Heir: []string{"/proc/self/exe", "hook", "inherit"}}
	cmd := &cobra.Command{Use: "supervise --forks N -- CMD [ARG...]", Args: cobra.MinimumNArgs(1), RunE: func(_ *cobra.Command, args []string) error {
		status, err := s.Run(args)
		if err != nil {
			return explain(err)
		}
		return ending(status)
	}}
	cmd.Flags().IntVar(&s.Forks, "forks", 1, "how often the daemon forks until it is in the background")
	return cmd
}

func inheritCommand() *cobra.Command {
	return &cobra.Command{Use: "inherit", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return explain(supervise.Inherit(cmd.InOrStdin()))
	}}
}

// ending has this program end as another has.
type ending unix.WaitStatus

func (e ending) Error() string { return fmt.Sprintf("wait status %#x", uint32(e)) }

// plain are the signals by which a program in Go can end without a word of its runtime's.
var plain = []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGKILL}

// end gives the exit status; for a signal it ends here, or gives 128 and the signal where that can't be.
func (e ending) end() int {
	status := unix.WaitStatus(e)
	if !status.Signaled() {
		return status.ExitStatus()
	}
	if slices.Contains(plain, status.Signal()) {
		signal.Reset(status.Signal())
		unix.Kill(os.Getpid(), status.Signal())
		select {} // until the signal is there
	}
	return 128 + int(status.Signal())
}
