package tracer

import (
	"io"
	"log/syslog"
	"os"

	"github.com/ebpfless/ebpfless/src/tracer/guard"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// logger writes to the standard error that the launcher had.
func logger(c guard.Config) *logrus.Entry {
	log := logrus.New()
	log.SetFormatter(&plain{})
	log.SetLevel(logrus.WarnLevel)
	if c.Verbose {
		log.SetLevel(logrus.InfoLevel)
	}
	if c.Debug {
		log.SetLevel(logrus.DebugLevel)
	}
	return logrus.NewEntry(log)
}

// plain is one line a message, as a program's error messages look.
type plain struct{}

func (*plain) Format(e *logrus.Entry) ([]byte, error) {
	line := "cws-instrumentation: " + e.Message
	if detail, ok := e.Data["event"].(string); ok {
		line += ": " + detail
	}
	return append([]byte(line), '\n'), nil
}

// releaseStderr lets go of a pipe that the application may close: whoever reads from it waits until everybody has. Only
// who asked for messages keeps getting them there; otherwise they go to the system log.
func releaseStderr(c guard.Config, log *logrus.Entry) {
	var st unix.Stat_t
	if c.Verbose || c.Debug || unix.Fstat(2, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer null.Close()
	unix.Dup3(int(null.Fd()), 2, 0)
	log.Logger.SetOutput(systemLog())
}

// systemLog is where messages go that have no standard error any more.
func systemLog() io.Writer {
	w, err := syslog.New(syslog.LOG_WARNING|syslog.LOG_DAEMON, "cws-instrumentation")
	if err != nil {
		return io.Discard
	}
	return w
}
