package ctl

import (
	"bytes"
	"os"
	"os/exec"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/systemd"
	"github.com/ebpfless/ebpfless/src/service/sysvinit"
	"github.com/ebpfless/ebpfless/src/service/upstart"
)

// systems are the init systems, the first that is there being the host's.
var systems = []struct {
	name    string
	present func() bool
	make    func() (service.System, error)
}{
	{"systemd", exists("/run/systemd/system"), func() (service.System, error) { // sd_booted(3)
		h, err := host()
		return systemd.System{Host: h}, err
	}},
	{"upstart", isUpstart, func() (service.System, error) {
		return service.Pair{First: jobs(), Second: scripts()}, nil
	}},
	{"sysvinit", exists("/etc/init.d"), func() (service.System, error) {
		return scripts(), nil
	}},
}

func exists(path string) func() bool {
	return func() bool {
		_, err := os.Stat(path)
		return err == nil
	}
}

// isUpstart asks init itself: upstart's tools may be there without it.
func isUpstart() bool {
	out, err := exec.Command("initctl", "version").Output()
	return err == nil && bytes.Contains(out, []byte("upstart"))
}

// jobs are this machine's jobs of upstart.
func jobs() upstart.System {
	return upstart.System{
		Root: "/", Tracer: systemd.DefaultTracer, ProbeAddr: probeAddr(), Original: systemd.Original(systemd.DefaultTracer),
	}
}

// scripts are this machine's init scripts.
func scripts() sysvinit.System {
	return sysvinit.System{
		Root: "/", Tracer: systemd.DefaultTracer, ProbeAddr: probeAddr(), Original: systemd.Original(systemd.DefaultTracer),
	}
}

// system is the one that this host was booted with.
func system() (service.System, error) {
	for _, s := range systems {
		if s.present() {
			return s.make()
		}
	}
	return nil, fail("there must be systemd, upstart or /etc/init.d", "this host has no init system that is known")
}
