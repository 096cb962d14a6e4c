package secl

import (
	"fmt"
	"net/netip"
	"slices"
	"sync"
)

// Model is the table of fields that rules may name, over the caller's evaluation context C. Fill it with Under and
// Along before the first use; from then on it is read-only and safe for concurrent use.
type Model[C any] struct {
	// Now gives the time in nanoseconds since the epoch that ages are measured against; nil means the wall clock.
	// It is asked at most once per evaluation.
	Now func(*C) int64
	// Lookup gives the current value of a variable made by a set action, nil when it is unset. May be nil.
	Lookup func(*C, *VariableSpec) *Value

	fields map[string]*field[C]
	states sync.Pool
}

// NewModel makes an empty table.
func NewModel[C any]() *Model[C] {
	return &Model[C]{fields: make(map[string]*field[C])}
}

// Getter reads one field out of a thing E: a process, a file, an event. Make it with Int, String and the like; getters
// must not allocate, or every event pays for it. Slices stay the getter's and are only read.
type Getter[C, E any] struct {
	name    string
	typ     Type
	array   bool
	glob    bool
	length  bool
	reason  string
	int     func(*C, *E) int64
	string  func(*C, *E) string
	bool    func(*C, *E) bool
	ip      func(*C, *E) netip.Addr
	ints    func(*C, *E) []int64
	strings func(*C, *E) []string
	ips     func(*C, *E) []netip.Prefix
	aliases func(*C, *E) []string
}

// Int is a field that holds a number.
func Int[C, E any](name string, get func(*C, *E) int64) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeInt, int: get}
}

// String is a field that holds a string; in its patterns * stands for anything.
func String[C, E any](name string, get func(*C, *E) string) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeString, string: get}
}

// Path is a field that holds the path of a file; its patterns are globs, and it has a length.
func Path[C, E any](name string, get func(*C, *E) string) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeString, glob: true, length: true, string: get}
}

// Bool is a field that holds a truth value.
func Bool[C, E any](name string, get func(*C, *E) bool) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeBool, bool: get}
}

// Addr is a field that holds an IP address; the zero address is in no network.
func Addr[C, E any](name string, get func(*C, *E) netip.Addr) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeIP, ip: get}
}

// Ints is a field that holds numbers.
func Ints[C, E any](name string, get func(*C, *E) []int64) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeInt, array: true, ints: get}
}

// Strings is a field that holds strings.
func Strings[C, E any](name string, get func(*C, *E) []string) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeString, array: true, strings: get}
}

// Addrs is a field that holds IP addresses, each as the network of full length.
func Addrs[C, E any](name string, get func(*C, *E) []netip.Prefix) Getter[C, E] {
	return Getter[C, E]{name: name, typ: TypeIP, array: true, ips: get}
}

// Missing is a field of the language that the caller can't fill: rules may name it, read zero, empty or false, and
// get a warning with the reason.
func Missing[C, E any](name string, typ Type, array bool, reason string) Getter[C, E] {
	return Getter[C, E]{name: name, typ: typ, array: array, reason: reason}
}

// Unfilled makes Missing fields of getters that others can fill, so that they keep their types and pattern semantics.
func Unfilled[C, E any](reason string, getters []Getter[C, E]) []Getter[C, E] {
	out := make([]Getter[C, E], len(getters))
	for i, g := range getters {
		out[i] = Getter[C, E]{name: g.name, typ: g.typ, array: g.array, glob: g.glob, length: g.length, reason: reason}
	}
	return out
}

// Name is that of the field below the prefix that it will be placed under.
func (g Getter[C, E]) Name() string { return g.name }

// WithLength adds NAME.length: bytes of a string, elements of an array.
func (g Getter[C, E]) WithLength() Getter[C, E] {
	g.length = true
	return g
}

// WithAliases has comparisons of a string hold, too, where they hold for one of some other names of it, and negated ones only
// where they hold for all.
func (g Getter[C, E]) WithAliases(get func(*C, *E) []string) Getter[C, E] {
	g.aliases = get
	return g
}

// Sub places getters of a thing S inside E under a prefix ("file."). get may return nil: the fields then read as zero,
// empty or false.
func Sub[C, E, S any](prefix string, get func(*C, *E) *S, getters []Getter[C, S]) []Getter[C, E] {
	out := make([]Getter[C, E], len(getters))
	for i, g := range getters {
		out[i] = Getter[C, E]{
			name: prefix + g.name, typ: g.typ, array: g.array, glob: g.glob, length: g.length, reason: g.reason,
			int: through(get, g.int), string: through(get, g.string), bool: through(get, g.bool),
			ip: through(get, g.ip), ints: through(get, g.ints), strings: through(get, g.strings),
			ips: through(get, g.ips), aliases: through(get, g.aliases),
		}
	}
	return out
}

func through[C, E, S, T any](get func(*C, *E) *S, read func(*C, *S) T) func(*C, *E) T {
	if read == nil {
		return nil
	}
	return func(c *C, e *E) (zero T) {
		if s := get(c, e); s != nil {
			return read(c, s)
		}
		return zero
	}
}

// field is a row of the table. Exactly one getter is set, unless the field is missing: then none is.
type field[C any] struct {
	name   string
	event  string // event type that the field belongs to; "" for every event
	typ    Type
	array  bool
	glob   bool
	reason string // why the field is never filled; "" when it is
	iter   *iterator[C]

	int     func(*state[C]) int64
	string  func(*state[C]) string
	bool    func(*state[C]) bool
	ip      func(*state[C]) netip.Prefix
	ints    func(*state[C]) []int64
	strings func(*state[C]) []string
	ips     func(*state[C]) []netip.Prefix
	aliases func(*state[C]) []string // of a string; nil: it never has any
}

// iterator walks a list of things such as process.ancestors.
type iterator[C any] struct {
	name  string // without the dot
	event string
	first func(*C) any // nil at the end
	next  func(*C, any) any
}

// Under adds getters under a prefix that ends in a dot ("process."). event is the event type that they belong to, ""
// for every event. find gives the thing that the getters read, nil when there is none. A name that is taken panics:
// the table is code, not input.
func Under[C, E any](m *Model[C], prefix, event string, find func(*C) *E, getters []Getter[C, E]) {
	element := func(s *state[C]) *E { return find(s.c) }
	for _, g := range getters {
		m.add(newField(prefix+g.name, event, element, g), g.length)
	}
}

// Along adds an iterator NAME and getters over its elements as NAME.getter. first and next return nil at the end. At
// most 100 elements are looked at.
func Along[C, E any](m *Model[C], name, event string, first func(*C) *E, next func(*C, *E) *E, getters []Getter[C, E]) {
	iter := &iterator[C]{
		name: name, event: event,
		first: func(c *C) any { return orNil(first(c)) },
		next:  func(c *C, e any) any { return orNil(next(c, e.(*E))) },
	}
	element := func(s *state[C]) *E { e, _ := s.element.(*E); return e }
	for _, g := range getters {
		f := newField(name+"."+g.name, event, element, g)
		f.iter = iter
		m.add(f, g.length)
	}
	m.add(&field[C]{name: name + ".length", event: event, typ: TypeInt, int: iter.count}, false)
}

// orNil keeps a nil pointer from becoming an interface that isn't nil.
func orNil[E any](e *E) any {
	if e == nil {
		return nil
	}
	return e
}

func (it *iterator[C]) count(s *state[C]) (n int64) {
	for e := it.first(s.c); e != nil && n < maxElements; e = it.next(s.c, e) {
		n++
	}
	return n
}

func newField[C, E any](name, event string, element func(*state[C]) *E, g Getter[C, E]) *field[C] {
	f := &field[C]{
		name: name, event: event, typ: g.typ, array: g.array, glob: g.glob, reason: g.reason,
		int: reading(element, g.int), string: reading(element, g.string), bool: reading(element, g.bool),
		ints: reading(element, g.ints), strings: reading(element, g.strings), ips: reading(element, g.ips),
		aliases: reading(element, g.aliases),
	}
	if addr := reading(element, g.ip); addr != nil {
		f.ip = func(s *state[C]) netip.Prefix { return hostPrefix(addr(s)) }
	}
	return f
}

func reading[C, E, T any](element func(*state[C]) *E, read func(*C, *E) T) func(*state[C]) T {
	if read == nil {
		return nil
	}
	return func(s *state[C]) (zero T) {
		if e := element(s); e != nil {
			return read(s.c, e)
		}
		return zero
	}
}

func (m *Model[C]) add(f *field[C], length bool) {
	if m.fields[f.name] != nil {
		panic(fmt.Sprintf("secl: field %q is in the table twice", f.name))
	}
	if !isName(f.name) {
		panic(fmt.Sprintf("secl: %q is not a field name", f.name))
	}
	m.fields[f.name] = f
	if length {
		m.add(lengthOf(f), false)
	}
}

// lengthOf makes the field NAME.length.
func lengthOf[C any](f *field[C]) *field[C] {
	out := &field[C]{name: f.name + ".length", event: f.event, typ: TypeInt, reason: f.reason, iter: f.iter}
	switch {
	case f.string != nil:
		out.int = func(s *state[C]) int64 { return int64(len(f.string(s))) }
	case f.strings != nil:
		out.int = func(s *state[C]) int64 { return int64(len(f.strings(s))) }
	case f.ints != nil:
		out.int = func(s *state[C]) int64 { return int64(len(f.ints(s))) }
	case f.ips != nil:
		out.int = func(s *state[C]) int64 { return int64(len(f.ips(s))) }
	}
	return out
}

// FieldNames lists the fields in order, for documentation and completion.
func (m *Model[C]) FieldNames() []string {
	names := make([]string, 0, len(m.fields))
	for name := range m.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// hasEvent tells whether an event type has fields.
func (m *Model[C]) hasEvent(event string) bool {
	for _, f := range m.fields {
		if f.event == event {
			return true
		}
	}
	return false
}
