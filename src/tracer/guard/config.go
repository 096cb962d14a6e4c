// Package guard is the tracer's other half: it brings the tracing loop to life, keeps it alive, and sends on what the
// loop writes into their ring. It never touches the application, except to hold it while one loop replaces another.
package guard

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/ebpfless/ebpfless/src/tracer/shared"
)

// Config is what the command line and the environment of the launcher say. It lies in shared memory, for successors.
type Config struct {
	ProbeAddr string        // host:port; empty: nothing is sent
	Wait      time.Duration // for the probe, before the application starts without it; 0: for ever
	Async     bool          // don't wait at all
	Seccomp   bool
	NoStat    bool
	ScanEvery time.Duration // 0: no scan of /proc
	Launcher  int           // pid to trace, in wrap mode
	Args      []string      // argv of the wrapped command, as far as it fits
	Systemd   int           // the launcher's parent, if it is to be told the main process; 0: nobody is
	CreatedAt uint64        // nanoseconds since the epoch
	Verbose   bool
	Debug     bool
}

// Store puts the configuration where guardian and loop find it. Long argument lists are cut.
func (c Config) Store(m *shared.Memory) error {
	for {
		b, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("store configuration: %w", err)
		}
		if m.Control.SetConfig(b) {
			return nil
		}
		if len(c.Args) == 0 {
			return fmt.Errorf("store configuration: %d bytes are too many", len(b))
		}
		c.Args = c.Args[:len(c.Args)/2]
	}
}

// Load reads the configuration back.
func Load(m *shared.Memory) (Config, error) {
	var c Config
	if err := json.Unmarshal(m.Control.Config(), &c); err != nil {
		return c, fmt.Errorf("read configuration from shared memory: %w", err)
	}
	return c, nil
}
