package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// policies are the rules of a fresh installation, from the root of the sources.
const policies = "packaging/etc/runtime-security.d"

// asking is a real probe that asks tracers for what its rules need.
type asking struct {
	addr string
	cmd  *exec.Cmd
	dir  string
}

// startProbe runs the probe with the default rules. It doesn't look for programs that no tracer reports: that would cost
// native runs, too.
func startProbe(bin string) (*asking, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	port := filepath.Join(dir, "port")
	cmd := exec.Command(filepath.Join(bin, "system-probe"), "run", "--policies", policies, "--port-file", port, "-o", os.DevNull)
	cmd.Env = append(os.Environ(), "DD_RUNTIME_SECURITY_CONFIG_ENABLED=true", "DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_ENABLED=true",
		"DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_SOCKET=localhost:0", "DD_RUNTIME_SECURITY_CONFIG_EBPFLESS_WATCH_HOST=false")
	a := &asking{cmd: cmd, dir: dir}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the probe: %w", err)
	}
	for range 200 {
		if text, err := os.ReadFile(port); err == nil && strings.HasSuffix(string(text), "\n") {
			a.addr = "localhost:" + strings.TrimSpace(string(text))
			return a, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	a.stop()
	return nil, fmt.Errorf("the probe did not listen within 10 s; run it by hand: %v", cmd.Args)
}

func (a *asking) stop() {
	a.cmd.Process.Signal(os.Interrupt)
	a.cmd.Wait()
	os.RemoveAll(a.dir)
}
