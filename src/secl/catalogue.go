package secl

import (
	"cmp"
	"slices"
)

// FieldInfo says of one field what a user of the language must know.
type FieldInfo struct {
	Name   string
	Event  string // event type whose rules may name it; "" for every one
	Type   Type
	Array  bool
	Walked string // iterator that the field belongs to, such as "process.ancestors"; "" for others
	Reason string // why it always reads as zero, empty or false; "" where it is served
}

// Fields lists the table: the fields of every event first, then by event type, each in order of their names.
func (m *Model[C]) Fields() []FieldInfo {
	list := make([]FieldInfo, 0, len(m.fields))
	for _, f := range m.fields {
		info := FieldInfo{Name: f.name, Event: f.event, Type: f.typ, Array: f.array, Reason: f.reason}
		if f.iter != nil {
			info.Walked = f.iter.name
		}
		list = append(list, info)
	}
	slices.SortFunc(list, func(a, b FieldInfo) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// OtherEvents lists the event types of the language that can't be served without eBPF and have no field in the table.
func (m *Model[C]) OtherEvents() []string {
	var list []string
	for name := range otherEvents {
		if !m.hasEvent(name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
