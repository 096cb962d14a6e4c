package secl

import (
	"net/netip"
	"slices"
	"time"
)

// Store holds the variables of one scope: of the rule set, one process, one container or one cgroup. It is keyed by
// name, so that it may outlive a reload of the rules. Its owner guards it against concurrent use.
type Store struct{ entries map[string]*entry }

type entry struct {
	typ    Type
	array  bool
	value  Value
	set    int64   // when a scalar was set, nanoseconds since the epoch
	times  []int64 // the same for each element of a list, ascending
	hidden bool
}

// Get gives the value at the moment now (nanoseconds since the epoch), nil when it is unset or has expired. The value
// stays the store's.
func (s *Store) Get(spec *VariableSpec, now int64) *Value {
	e := s.entries[spec.Name]
	if e == nil || e.typ != spec.Type || e.array != spec.Array {
		return nil
	}
	if spec.TTL <= 0 {
		return &e.value
	}
	if !e.array {
		if now-e.set > int64(spec.TTL) {
			return nil
		}
		return &e.value
	}
	e.expire(now, spec.TTL)
	return &e.value
}

func (e *entry) expire(now int64, ttl time.Duration) {
	n := 0
	for n < len(e.times) && now-e.times[n] > int64(ttl) {
		n++
	}
	e.drop(n)
}

// drop takes away the n oldest elements.
func (e *entry) drop(n int) {
	e.times = slices.Delete(e.times, 0, n)
	switch e.typ {
	case TypeInt:
		e.value.Ints = slices.Delete(e.value.Ints, 0, n)
	case TypeString:
		e.value.Strings = slices.Delete(e.value.Strings, 0, n)
	default:
		e.value.IPs = slices.Delete(e.value.IPs, 0, n)
	}
}

// Set takes over a value at the moment now. With add a list grows.
func (s *Store) Set(spec *VariableSpec, v Value, add bool, now int64) {
	if s.entries == nil {
		s.entries = make(map[string]*entry)
	}
	e := s.entries[spec.Name]
	if e == nil || e.typ != spec.Type || e.array != spec.Array || !add || s.Get(spec, now) == nil {
		e = &entry{typ: spec.Type, array: spec.Array}
		s.entries[spec.Name] = e
		if add && spec.Default != nil {
			e.put(*spec.Default, spec.Size, now)
		}
	}
	e.hidden = spec.Private
	e.put(v, spec.Size, now)
}

// put adds v to a list, and replaces anything else.
func (e *entry) put(v Value, size int, now int64) {
	e.set = now
	switch {
	case e.array && e.typ == TypeInt:
		e.value.Ints, e.times = refresh(e.value.Ints, e.times, v.Ints, now)
	case e.array && e.typ == TypeString:
		e.value.Strings, e.times = refresh(e.value.Strings, e.times, v.Strings, now)
	case e.array:
		e.value.IPs, e.times = refresh(e.value.IPs, e.times, v.IPs, now)
	case e.typ == TypeInt:
		e.value.Int = v.Int
	case e.typ == TypeString:
		e.value.String = v.String
	default:
		e.value.Bool, e.value.IP = v.Bool, v.IP
	}
	if e.array && len(e.times) > size {
		e.drop(len(e.times) - size)
	}
}

// refresh appends elements; one that is there already moves to the end, as the youngest.
func refresh[T comparable](list []T, times []int64, more []T, now int64) ([]T, []int64) {
	for _, x := range more {
		if i := slices.Index(list, x); i >= 0 {
			list, times = slices.Delete(list, i, i+1), slices.Delete(times, i, i+1)
		}
		list, times = append(list, x), append(times, now)
	}
	return list, times
}

// Visible gives a copy of the values that events show, by name: bool, int64, string, []int64 or []string.
func (s *Store) Visible() map[string]any {
	out := make(map[string]any, len(s.entries))
	for name, e := range s.entries {
		if !e.hidden {
			out[name] = e.shown()
		}
	}
	return out
}

func (e *entry) shown() any {
	switch {
	case e.array && e.typ == TypeInt:
		return slices.Clone(e.value.Ints)
	case e.array && e.typ == TypeString:
		return slices.Clone(e.value.Strings)
	case e.array:
		return printed(e.value.IPs)
	case e.typ == TypeInt:
		return e.value.Int
	case e.typ == TypeString:
		return e.value.String
	case e.typ == TypeBool:
		return e.value.Bool
	}
	return printPrefix(e.value.IP)
}

func printed(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = printPrefix(p)
	}
	return out
}
