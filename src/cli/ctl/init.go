package ctl

import (
	"os"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/systemd"
	"github.com/ebpfless/ebpfless/src/service/sysvinit"
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

// scripts are this machine's init scripts.
func scripts() sysvinit.System {
	return sysvinit.System{Root: "/", Tracer: systemd.DefaultTracer, ProbeAddr: probeAddr()}
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
