package tests

import (
	"os"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// Where seccomp(2) is refused the application runs all the same, and is traced by the older call.
func TestARefusedFilterHoldsNothingUp(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "needs root, to install a filter without no_new_privs")
	}
	probe, err := recorder.Start(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	command := []string{load(t, "refuses"), program(t, "cws-instrumentation"), "trace", "--disable-proc-scan", "--probe-addr", probe.Addr(), "--", "/bin/sh", "-c", "cat /etc/hostname; exit 7"}
	o := runIn(t, t.TempDir(), command, "")
	if o.status.ExitStatus() != 7 {
		t.Errorf("it ended with %#x\n%s", o.status, o.stderr)
	}
	seen := func(e *event.Event) bool { return e.Kind == event.Open && strings.HasSuffix(e.File.Path, "/hostname") }
	if err := probe.WaitEvent(leaveLimit, seen); err != nil {
		t.Errorf("what it opened was not reported: %v\n%s", err, o.stderr)
	}
}
