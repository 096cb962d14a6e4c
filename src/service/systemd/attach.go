package systemd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/follow"
	"github.com/ebpfless/ebpfless/src/unit"
)

const (
	// lookEvery is how often a control group is read, which costs some microseconds.
	lookEvery = 100 * time.Millisecond
	// scanEvery is how often all processes are looked through for a program.
	scanEvery = 500 * time.Millisecond
	// askEvery is how often systemd is asked about a service without processes.
	askEvery = time.Second
)

// Attach is what an instance of cws-attach@ runs: it keeps tracers attached to all processes of a service, through restarts,
// until the service stops. What is no unit is found by the program that /etc/cws/NAME.conf names.
func (k Hook) Attach(ctx context.Context, instance string) error {
	f := &follow.Follower{
		Tracer: []string{k.Host.Tracer, "trace"}, Every: lookEvery, Say: k.Say,
		Ready: func(processes int) {
			daemon.SdNotify(false, fmt.Sprintf("%s\nSTATUS=attached to %d processes", daemon.SdNotifyReady, processes))
		},
	}
	if k.Host.ProbeAddr != "" {
		f.Tracer = append(f.Tracer, "--probe-addr", k.Host.ProbeAddr)
	}
	if !k.Host.Original {
		f.Tracer = append(f.Tracer, "--wait", longestWait.String())
	}
	conf, err := k.Host.settings(instance)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if conf != nil && conf.InstallFilter {
		if k.Host.Original {
			return &service.Obstacle{Reason: "InstallFilter= is for our own tracer", Hint: "install cws-instrumentation"}
		}
		f.Tracer = append(f.Tracer, "--install-filter")
	}
	name, err := k.unitOf(ctx, instance)
	switch {
	case err != nil:
		return err
	case name != "":
		f.Processes = (&members{ctx: ctx, manager: k.Manager, name: name}).list
	case conf == nil:
		return fmt.Errorf("there is neither %s%s nor /etc/cws/%[1]s.conf", instance, unit.Suffix)
	case conf.Match == "":
		return &service.Obstacle{Reason: "its settings have no Match=, the program to look for", Hint: "add it to /etc/cws/" + instance + ".conf"}
	default:
		f.Every = scanEvery
		f.Processes = func() ([]int, error) { return follow.Named(conf.Match) }
	}
	return f.Run(ctx)
}

// unitOf gives the unit that an instance means; empty where there is none.
func (k Hook) unitOf(ctx context.Context, instance string) (string, error) {
	if err := unit.CheckName(instance); err != nil {
		return "", err
	}
	for _, candidate := range unit.Unescaped(instance) {
		shown, err := k.Manager.Show(ctx, candidate+unit.Suffix, "LoadState", "Id")
		if err != nil {
			return "", err
		}
		switch shown["LoadState"] {
		case "loaded":
			return shown["Id"], nil
		case "masked":
			return "", fmt.Errorf("%s%s: %w", candidate, unit.Suffix, ErrMasked)
		}
	}
	return "", nil
}

// members lists the processes of a unit.
type members struct {
	ctx     context.Context
	manager Manager
	name    string
	group   string
	asked   time.Time
}

// list reads the control group. Without processes it asks systemd whether the service is over: one that stands still for a
// restart isn't.
func (m *members) list() ([]int, error) {
	pids, err := Processes(m.group)
	if err != nil || len(pids) > 0 || time.Since(m.asked) < askEvery {
		return pids, err
	}
	shown, err := m.manager.Show(m.ctx, m.name, "ActiveState", "ControlGroup", "Job")
	if err != nil {
		return nil, err
	}
	over := shown["ActiveState"] == "inactive" || shown["ActiveState"] == "failed"
	if over && !m.asked.IsZero() && (shown["Job"] == "" || shown["Job"] == "0") {
		return nil, follow.ErrOver
	}
	m.group, m.asked = shown["ControlGroup"], time.Now()
	return Processes(m.group)
}
