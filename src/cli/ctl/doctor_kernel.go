package ctl

import (
	"os"
	"strings"

	"github.com/ebpfless/ebpfless/src/feature"
	"github.com/spf13/cobra"
)

// features are what newer kernels have and tracing can do without: each missing one is named with what is done instead.
func features() verdict {
	there, missing := feature.Report([]string{"/proc/self/exe", subjectName})
	return ok("%s", strings.Join(append([]string{there}, missing...), "\n"+strings.Repeat(" ", 24)))
}

const subjectName = "subject"

// subjectCommand is the process that the doctor traces.
func subjectCommand() *cobra.Command {
	return &cobra.Command{Use: subjectName, Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return feature.Subject(os.Stdin, os.Stdout) }}
}
