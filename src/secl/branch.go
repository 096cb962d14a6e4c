package secl

import (
	"slices"
	"strings"
)

// rootedRule is a text that a rule asks for; rule is its number in the bucket.
type rootedRule struct {
	guardText
	rule int
}

// branch is a node of a radix tree over the texts that rules ask for: one walk along a value finds all that are it or its
// beginning.
type branch struct {
	label      string // what the value goes on with
	beginnings []int  // rules that are content with what has been read
	wholes     []int  // rules that want the value to end here
	firsts     []byte // first bytes of the branches' labels
	branches   []*branch
}

// plant makes the tree of some texts.
func plant(texts []rootedRule) *branch {
	slices.SortFunc(texts, func(a, b rootedRule) int { return strings.Compare(a.text, b.text) })
	return grow(texts, 0)
}

// grow makes the branch of sorted texts that are the same up to from.
func grow(texts []rootedRule, from int) *branch {
	first, last := texts[0].text, texts[len(texts)-1].text
	to := from
	for to < len(first) && to < len(last) && first[to] == last[to] {
		to++
	}
	n := &branch{label: first[from:to]}
	for len(texts) > 0 && len(texts[0].text) == to {
		if texts[0].beginning {
			n.beginnings = append(n.beginnings, texts[0].rule)
		} else {
			n.wholes = append(n.wholes, texts[0].rule)
		}
		texts = texts[1:]
	}
	for len(texts) > 0 {
		c := texts[0].text[to]
		end := slices.IndexFunc(texts, func(t rootedRule) bool { return t.text[to] != c })
		if end < 0 {
			end = len(texts)
		}
		n.firsts, n.branches = append(n.firsts, c), append(n.branches, grow(texts[:end], to))
		texts = texts[end:]
	}
	return n
}

// find sets the bits of the rules that ask for the value.
func (n *branch) find(value string, chosen []uint64) {
	for strings.HasPrefix(value, n.label) {
		value = value[len(n.label):]
		mark(chosen, n.beginnings)
		if value == "" {
			mark(chosen, n.wholes)
			return
		}
		i := slices.Index(n.firsts, value[0])
		if i < 0 {
			return
		}
		n = n.branches[i]
	}
}

func mark(chosen []uint64, rules []int) {
	for _, r := range rules {
		chosen[r/64] |= 1 << (r % 64)
	}
}
