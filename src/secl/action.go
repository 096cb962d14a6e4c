package secl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
)

// BoundAction is an action that is ready to run: the caller runs it when the rule has hit and Filter, if there is one,
// holds. One of Set, Kill, Hash and Log is set.
type BoundAction[C any] struct {
	Def    *Action
	Filter *Program[C]
	Set    *Assignment[C]
	Kill   *KillAction
	Signal syscall.Signal // of Kill
	Hash   *HashAction    // Field is filled in
	Log    *LogAction
}

// action binds one action.
func (a *assembly[C]) action(r *Rule[C], def *Action) (*BoundAction[C], error) {
	out := &BoundAction[C]{Def: def, Log: def.Log}
	var err error
	if def.Filter != "" {
		if out.Filter, err = Compile(a.rs.model, def.Filter, a.env); err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		}
	}
	switch {
	case def.CoreDump.Kind != 0:
		return nil, errors.New("coredump: it can't be done in eBPF-less mode")
	case def.NetworkFilter.Kind != 0:
		return nil, errors.New("network_filter: it can't be done in eBPF-less mode")
	case def.Set != nil:
		out.Set, err = a.assignment(def.Set)
	case def.Kill != nil:
		out.Kill = def.Kill
		out.Signal, err = a.options.signal(def.Kill)
	case def.Hash != nil:
		out.Hash, err = a.hash(r, def.Hash)
	}
	return out, err
}

func (o *Options) signal(kill *KillAction) (syscall.Signal, error) {
	name := kill.Signal
	if name == "" {
		name = "SIGTERM" // the default of agents before the key was required
	}
	number, found := signals[name]
	switch {
	case !found:
		return 0, fmt.Errorf("kill: unknown signal %q", name)
	case o.NoEnforcement:
		return 0, errors.New("kill: enforcement is disabled in the configuration")
	}
	return syscall.Signal(number), nil
}

// hash finds the file to hash: of the rule's own event or of the process.
func (a *assembly[C]) hash(r *Rule[C], def *HashAction) (*HashAction, error) {
	out := *def
	event := r.Program.Event
	if out.Field == "" && (event == "exec" || event == "open") {
		out.Field = event + ".file"
	}
	f := a.rs.model.fields[out.Field+".path"]
	switch {
	case out.Field == "":
		return nil, fmt.Errorf("hash: field is missing, and %s rules have no default", event)
	case f == nil || !f.glob || f.iter != nil:
		return nil, fmt.Errorf("hash: %q is not a file", out.Field)
	case f.event != event && !strings.HasPrefix(out.Field, "process."):
		return nil, fmt.Errorf("hash: %q is no file of %s events or of their process", out.Field, event)
	}
	return &out, nil
}

var (
	killScopes = []string{"", "process", "container", "cgroup"}
	logLevels  = []string{"trace", "debug", "info", "warn", "warning", "error", "critical"}
)

// check refuses what no rule set could load.
func (a *Action) check() error {
	kinds := 0
	for _, set := range []bool{a.Set != nil, a.Kill != nil, a.Hash != nil, a.Log != nil,
		a.CoreDump.Kind != 0, a.NetworkFilter.Kind != 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return fmt.Errorf("an action has exactly one of set, kill, hash and log, this has %d", kinds)
	case a.Set != nil:
		return a.Set.check()
	case a.Kill != nil && !slices.Contains(killScopes, a.Kill.Scope):
		return fmt.Errorf("kill: scope %q is none of process, container, cgroup", a.Kill.Scope)
	case a.Log != nil && !slices.Contains(logLevels, strings.ToLower(a.Log.Level)):
		return fmt.Errorf("log: level %q is none of %s", a.Log.Level, strings.Join(logLevels, ", "))
	}
	return nil
}

func (s *SetAction) check() error {
	sources := 0
	for _, given := range []bool{s.Value != nil, s.Field != "", s.Expression != ""} {
		if given {
			sources++
		}
	}
	switch {
	case !isName(s.Name):
		return fmt.Errorf("set: %q is not the name of a variable", s.Name)
	case sources != 1:
		return fmt.Errorf("set: exactly one of value, field and expression is needed, this has %d", sources)
	case s.Expression != "" && s.DefaultValue == nil:
		return errors.New("set: an expression needs a default_value, which gives the type")
	case s.Scope != ScopeProcess && (s.ScopeField != "" || s.Inherited):
		return errors.New("set: scope_field and inherited are only for scope process")
	case s.Size < 0 || s.TTL < 0:
		return errors.New("set: size and ttl can't be negative")
	}
	return nil
}
