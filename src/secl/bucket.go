package secl

// bucket holds the rules of one event type, and finds those that an event may hit without asking every one: most rules
// ask for one value of a field that most events don't have.
type bucket[C any] struct {
	rules   []*Rule[C]
	always  []uint64 // bits of the rules without a guard
	indexes []index[C]
	flags   func(*state[C]) int64
	needing []needing // rules that ask for open flags
}

// index finds rules by the value of one field.
type index[C any] struct {
	field *field[C]
	texts []rootedRule
	root  *branch
}

// needing is a rule that can't be true without one of some open flags.
type needing struct {
	rule  int
	flags uint32
}

// fill sorts the rules into buckets.
func (rs *RuleSet[C]) fill() {
	for _, r := range rs.Rules {
		b := rs.buckets[r.Program.Event]
		if b == nil {
			b = &bucket[C]{}
			rs.buckets[r.Program.Event] = b
		}
		b.add(r)
	}
	for event, b := range rs.buckets {
		for i := range b.indexes {
			b.indexes[i].root = plant(b.indexes[i].texts)
			b.indexes[i].texts = nil
		}
		if f := rs.model.fields[flagsField]; f != nil && f.event == event {
			b.flags = f.int
		}
	}
}

func (b *bucket[C]) add(r *Rule[C]) {
	i := len(b.rules)
	b.rules = append(b.rules, r)
	if i%64 == 0 {
		b.always = append(b.always, 0)
	}
	if need := uint32(r.Program.need.whenTrue.any); need != 0 && r.Program.Event == "open" {
		b.needing = append(b.needing, needing{i, need})
	}
	g := r.Program.guard
	if g == nil {
		b.always[i/64] |= 1 << (i % 64)
		return
	}
	x := b.index(g.field)
	for _, t := range g.texts {
		x.texts = append(x.texts, rootedRule{t, i})
	}
}

func (b *bucket[C]) index(f *field[C]) *index[C] {
	for i := range b.indexes {
		if b.indexes[i].field == f {
			return &b.indexes[i]
		}
	}
	b.indexes = append(b.indexes, index[C]{field: f})
	return &b.indexes[len(b.indexes)-1]
}

// choose marks the rules that may be true.
func (b *bucket[C]) choose(s *state[C]) {
	s.chosen = append(s.chosen[:0], b.always...)
	for i := range b.indexes {
		x := &b.indexes[i]
		x.root.find(x.field.string(s), s.chosen)
		if x.field.aliases == nil {
			continue
		}
		for _, alias := range x.field.aliases(s) {
			x.root.find(alias, s.chosen)
		}
	}
	if b.flags == nil || len(b.needing) == 0 {
		return
	}
	flags := uint32(b.flags(s))
	for _, n := range b.needing {
		if flags&n.flags == 0 {
			s.chosen[n.rule/64] &^= 1 << (n.rule % 64)
		}
	}
}
