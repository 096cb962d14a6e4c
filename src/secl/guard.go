package secl

import "strings"

// guard is what a truth value can't be true without: a string field that begins with, or is, one of some texts. It may
// let too much through, never too little.
type guard[C any] struct {
	field *field[C]
	texts []guardText
}

// guardText is the whole value of a field, or its beginning.
type guardText struct {
	text      string
	beginning bool
}

// guardOf makes the guard of a field that is one of the literals; nil where nothing is known about its beginning.
func (k *compiler[C]) guardOf(q question[C], literals ...guardText) *guard[C] {
	f := q.subject.field
	// The elements of arrays and iterators, and what stands at an index, are not the field's one value.
	if q.negative || f == nil || q.subject.array || f.string == nil || k.model.fields[f.name] != f || f.iter != nil {
		return nil
	}
	for _, l := range literals {
		if l.beginning && l.text == "" {
			return nil
		}
	}
	return &guard[C]{f, literals}
}

// guardLiteral gives what a string must begin with to be, or match, a literal: nothing is known of regexps.
func guardLiteral(text string, form Form, glob bool) guardText {
	if form == Regexp {
		return guardText{beginning: true}
	}
	if form == Pattern && glob {
		text = rooted(text)
	}
	before, _, starred := strings.Cut(text, "*")
	if form == Pattern && starred {
		return guardText{before, true}
	}
	return guardText{text, false}
}

// and is the guard of a && b: either of them will do, and the one whose texts say more cuts more.
func (g *guard[C]) and(h *guard[C]) *guard[C] {
	if g == nil || h != nil && h.strength() > g.strength() {
		return h
	}
	return g
}

// or is the guard of a || b, when both ask for the same field. It takes over the texts of h, so that a long chain is
// worked out in linear time.
func (g *guard[C]) or(h *guard[C]) *guard[C] {
	if g == nil || h == nil || g.field != h.field || len(g.texts)+len(h.texts) > maxList {
		return nil
	}
	h.texts = append(h.texts, g.texts...)
	return h
}

// strength is the length of the shortest text; a whole value says more than a beginning.
func (g *guard[C]) strength() int {
	least := maxExpression
	for _, t := range g.texts {
		n := 2 * len(t.text)
		if !t.beginning {
			n += maxExpression / 4
		}
		least = min(least, n)
	}
	return least
}
