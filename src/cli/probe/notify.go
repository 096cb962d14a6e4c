package probe

import (
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// ready tells systemd that tracers can connect, and then, as often as it wants, that the probe works: alive must return
// (sd_notify(3), sd_watchdog_enabled(3)). Without systemd it does nothing.
func ready(alive func(), done <-chan struct{}) {
	daemon.SdNotify(false, daemon.SdNotifyReady)
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(interval / 3):
				alive()
				daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}()
}
