package tracer

import (
	"os"

	"github.com/ebpfless/ebpfless/src/feature"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
)

const subjectName = "subject"

// sayFeatures logs what this kernel has beyond the oldest supported one, and what is done about the rest.
func sayFeatures(log *logrus.Entry) {
	there, missing := feature.Report([]string{"/proc/self/exe", subjectName})
	log.Infof("the kernel has %s", there)
	for _, line := range missing {
		log.Info(line)
	}
}

// subjectCommand is the process that is traced for that.
func subjectCommand() *cobra.Command {
	return &cobra.Command{Use: subjectName, Hidden: true, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return feature.Subject(os.Stdin, os.Stdout) }}
}
