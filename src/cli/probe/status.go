package probe

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/wire"
	"github.com/spf13/cobra"
)

// statusLimit is how long a probe may take to answer; it is loaded, not gone, below that.
const statusLimit = 5 * time.Second

func statusCommand() *cobra.Command {
	return &cobra.Command{Use: "status", Short: "Tell whether the probe serves tracers: exit status 0 if it does", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load(cmd)
			if err != nil {
				return err
			}
			if err := answers(wire.Address(c.Socket)); err != nil {
				return fmt.Errorf("no probe serves tracers at %s: %w (system-probe run starts one, its log says why it ended)", c.Socket, err)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the probe serves tracers at %s, eBPF-less mode %s\n", c.Socket, onOff(c))
			return err
		}}
}

func onOff(c *config.Config) string {
	if c.Enabled && c.EBPFLess {
		return "on"
	}
	return "off in the configuration that is read here"
}

// answers connects as a tracer that has nothing to say. A probe that works reads the end and closes its side: a listening
// socket alone does not, it takes connections for a process that hangs as well.
func answers(addr string) error {
	conn, err := net.DialTimeout("tcp4", addr, statusLimit)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	conn.SetReadDeadline(time.Now().Add(statusLimit))
	switch n, err := conn.Read(make([]byte, 1)); {
	case err == io.EOF:
		return nil
	case n > 0:
		return errors.New("what listens there is no probe")
	default:
		return fmt.Errorf("it takes connections and does not serve them: %w", err)
	}
}
