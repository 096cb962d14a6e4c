package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// Hook is what the instances of cws-wrap@ run when they start and stop.
type Hook struct {
	Host    Host
	Manager Manager
	// Say gets what the administrator should know.
	Say func(format string, args ...any)
}

// Start makes a service run behind a tracer. A service that does not come up wrapped is started plain again.
func (k Hook) Start(ctx context.Context, instance string) error {
	dropIn, err := k.Host.Wrap(instance)
	if errors.Is(err, ErrNotFound) {
		return k.become(ctx, instance)
	}
	if err != nil {
		return err
	}
	name := dropIn.Service + unit.Suffix
	if err := k.Host.Switch(instance, true); err != nil {
		return err
	}
	if err := k.load(ctx, name, true); err != nil {
		return k.undo(ctx, instance, name, err)
	}
	state, err := k.settled(ctx, name)
	switch {
	case err != nil:
		return k.undo(ctx, instance, name, err)
	case !state.running, state.empty:
		k.Say("%s has no process; it is wrapped when it starts", name)
		return nil
	case state.traced: // since the boot, or by who started it
		return nil
	}
	if err := k.again(ctx, name, "restart"); err != nil {
		return k.undo(ctx, instance, name, fmt.Errorf("it does not start behind the tracer: %w", err))
	}
	if err := k.confirm(ctx, name); err != nil {
		return k.undo(ctx, instance, name, err)
	}
	return nil
}

// become has the instance start once more as the service that its settings describe. It comes here only when the settings
// are younger than the last reload.
func (k Hook) become(ctx context.Context, instance string) error {
	dropIn, err := k.Host.Run(instance)
	if err != nil {
		return k.missing(ctx, instance, err)
	}
	name := dropIn.Service + unit.Suffix
	if err := k.load(ctx, name, true); err != nil {
		return err
	}
	k.Say("%s starts again as its settings say", name)
	return k.Manager.Do(ctx, name, "restart", "--no-block")
}

// undo makes the service plain again and gives the reason for it.
func (k Hook) undo(ctx context.Context, instance, name string, reason error) error {
	state, _ := k.state(ctx, name)
	if err := k.Host.Switch(instance, false); err != nil {
		return fmt.Errorf("%w; and %w", reason, err)
	}
	if err := k.Manager.Reload(ctx); err != nil {
		return fmt.Errorf("%w; and %w", reason, err)
	}
	if state.loaded && !state.running {
		if err := k.again(ctx, name, "restart"); err != nil {
			return fmt.Errorf("%w; it does not start without either", reason)
		}
	}
	return fmt.Errorf("%w; it runs plain", reason)
}

// Stop makes a service run plain again.
func (k Hook) Stop(ctx context.Context, instance string) error {
	if manager, err := k.Manager.Show(ctx, "", "SystemState"); err == nil && manager["SystemState"] == "stopping" {
		return nil
	}
	if err := unit.CheckName(instance); err != nil {
		return err
	}
	service, err := k.Host.resolve(instance)
	if err != nil {
		return k.Host.forget(instance) // it was removed meanwhile
	}
	name := service.Name + unit.Suffix
	if err := k.switchOff(instance); err != nil {
		return err
	}
	if err := k.load(ctx, name, false); err != nil {
		return err
	}
	state, err := k.state(ctx, name)
	if err != nil || !state.running || !state.traced {
		return err
	}
	return k.again(ctx, name, "try-restart")
}

// again restarts a service for our sake. That is none of the starts in a row after which systemd gives up and leaves it down
// (StartLimitBurst=), so the count begins anew.
func (k Hook) again(ctx context.Context, name, verb string) error {
	k.Manager.Do(ctx, name, "reset-failed") // there may be nothing to forget
	return k.Manager.Do(ctx, name, verb)
}

// switchOff notes that an instance was stopped, unless its service can't be wrapped anyhow.
func (k Hook) switchOff(instance string) error {
	if _, err := k.Host.Wrap(instance); err != nil {
		return k.Host.forget(instance)
	}
	return k.Host.Switch(instance, false)
}

// load brings the manager to where the service's drop-in is in force, or isn't.
func (k Hook) load(ctx context.Context, name string, wanted bool) error {
	for tries := 0; ; tries++ {
		service, err := k.Manager.Show(ctx, name, "DropInPaths")
		if err != nil {
			return err
		}
		if strings.Contains(service["DropInPaths"], "-cws-wrap.conf") == wanted {
			return nil
		}
		if tries == 1 {
			return fmt.Errorf("systemd reloads, but %s has the drop-in still or not yet: is cws-generator among its generators?", name)
		}
		if err := k.Manager.Reload(ctx); err != nil {
			return err
		}
	}
}
