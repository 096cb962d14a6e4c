package probe

import (
	"time"

	"github.com/ebpfless/ebpfless/src/secl"
)

// maxStores bounds how many containers, and how many control groups, have variables at a time.
const maxStores = 4096

// variables are what set actions have set. Those of a process are kept in the tree, so that they go with it.
type variables struct {
	global     secl.Store
	containers map[string]*secl.Store
	cgroups    map[string]*secl.Store
}

func newVariables() *variables {
	return &variables{containers: map[string]*secl.Store{}, cgroups: map[string]*secl.Store{}}
}

// lookup gives a variable as the process of c sees it, nil when it is unset.
func (v *variables) lookup(c *Context, spec *secl.VariableSpec) *secl.Value {
	now := time.Now().UnixNano()
	switch spec.Scope {
	case secl.ScopeProcess:
		return lookupProcess(c.Process, spec, now)
	case secl.ScopeContainer:
		return get(v.containers[c.Process.ContainerID], spec, now)
	case secl.ScopeCGroup:
		return get(v.cgroups[c.Process.CGroupID], spec, now)
	}
	return v.global.Get(spec, now)
}

func get(s *secl.Store, spec *secl.VariableSpec, now int64) *secl.Value {
	if s == nil {
		return nil
	}
	return s.Get(spec, now)
}

func lookupProcess(p *Process, spec *secl.VariableSpec, now int64) *secl.Value {
	for ; p != nil; p = p.Parent {
		if value := get(p.Variables, spec, now); value != nil {
			return value
		}
		if !spec.Inherited {
			return nil
		}
	}
	return nil
}

// store gives the place where a variable is to be set for a process, nil where there is none: no container, no group.
func (v *variables) store(p *Process, scope secl.Scope, tree *Tree) *secl.Store {
	switch scope {
	case secl.ScopeProcess:
		if p.Variables == nil {
			p.Variables = new(secl.Store)
		}
		return p.Variables
	case secl.ScopeContainer:
		return storeOf(v.containers, p.ContainerID, tree, func(p *Process) string { return p.ContainerID })
	case secl.ScopeCGroup:
		return storeOf(v.cgroups, p.CGroupID, tree, func(p *Process) string { return p.CGroupID })
	}
	return &v.global
}

func storeOf(stores map[string]*secl.Store, id string, tree *Tree, of func(*Process) string) *secl.Store {
	if id == "" {
		return nil
	}
	if stores[id] == nil {
		if len(stores) >= maxStores {
			forgetGone(stores, tree, of)
		}
		if len(stores) >= maxStores {
			return nil
		}
		stores[id] = new(secl.Store)
	}
	return stores[id]
}

// forgetGone drops the variables of what has no process any more.
func forgetGone(stores map[string]*secl.Store, tree *Tree, of func(*Process) string) {
	alive := map[string]bool{}
	tree.Each(func(p *Process) { alive[of(p)] = true })
	for id := range stores {
		if !alive[id] {
			delete(stores, id)
		}
	}
}

// shown are the variables of a scope, other than of a process, that a detection shows; nil when there are none.
func (c *Context) shown(scope secl.Scope) map[string]any {
	switch {
	case c.variables == nil:
		return nil
	case scope == secl.ScopeContainer:
		return visible(c.variables.containers[c.Process.ContainerID])
	case scope == secl.ScopeCGroup:
		return visible(c.variables.cgroups[c.Process.CGroupID])
	}
	return visible(&c.variables.global)
}

// visible gives the variables that a detection shows; nil when there are none.
func visible(s *secl.Store) map[string]any {
	if s == nil {
		return nil
	}
	if all := s.Visible(); len(all) > 0 {
		return all
	}
	return nil
}
