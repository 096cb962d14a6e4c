package secl

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Scope says what a variable belongs to and how long it lives.
type Scope uint8

// The scopes of variables.
const (
	ScopeGlobal Scope = iota
	ScopeProcess
	ScopeContainer
	ScopeCGroup
)

var scopeNames = [...]string{
	ScopeGlobal: "", ScopeProcess: "process", ScopeContainer: "container", ScopeCGroup: "cgroup",
}

// String gives the name used in policies; "" for the global scope.
func (s Scope) String() string { return scopeNames[s] }

// UnmarshalText reads a scope of a policy file.
func (s *Scope) UnmarshalText(text []byte) error {
	i := slices.Index(scopeNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("scope %q is none of process, container, cgroup", text)
	}
	*s = Scope(i)
	return nil
}

// VariableSpec is a variable as the set actions of a rule set declare it. The pointer identifies it within its rule
// set.
type VariableSpec struct {
	Name      string // without the scope
	Scope     Scope
	Type      Type
	Array     bool
	Default   *Value // what an unset variable reads as; nil: zero, empty or false
	Inherited bool   // processes without a value see their parent's
	Private   bool   // not shown in events
	Size      int    // most elements of an array
	TTL       time.Duration
}

// Reference is how expressions write the variable, without ${}.
func (v *VariableSpec) Reference() string {
	if v.Scope == ScopeGlobal {
		return v.Name
	}
	return v.Scope.String() + "." + v.Name
}

// Value is the value of a variable; Type and Array of its VariableSpec say which field counts.
type Value struct {
	Int     int64
	String  string
	Bool    bool
	IP      netip.Prefix
	Ints    []int64
	Strings []string
	IPs     []netip.Prefix
}
