package guard

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// outlive keeps the signals that end a whole service, SIGABRT of systemd's watchdog among them, from ending its tracer first: what the
// service still does then is traced, and answered.
func (g *Guard) outlive() {
	signal.Ignore(unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGABRT)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, unix.SIGHUP)
	go func() {
		for range hangup {
			g.stepAside()
		}
	}()
}

// stepAside ends this guardian where an upgrade has made the loop another program, which then starts a guardian of its own
// kind. That one finds all it needs in the shared memory, as after a SIGKILL.
func (g *Guard) stepAside() {
	own, err := os.Stat("/proc/self/exe")
	loop, loopErr := os.Stat(fmt.Sprintf("/proc/%d/exe", g.Memory.Control.LoopPID))
	if err != nil || loopErr != nil || os.SameFile(own, loop) {
		return
	}
	g.Memory.Control.Aside = 1
	os.Exit(0)
}
