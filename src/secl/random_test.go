package secl

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// random makes expressions and events that hit each other now and then: few different values, deep trees.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

func pick[T any](r random, of ...T) T { return of[r.IntN(len(of))] }

func (r random) text() string {
	return pick(r, "", "a", "b", "ab", "aab", "a*", "/", "/a", "/a/b", "/ab/a", "a/b", "//", "/a/")
}

func (r random) pattern() string {
	return pick(r, "*", "a*", "*b", "a*b", "*a*", "a", "/a/*", "/*/b", "*/b", "/*/*", "*a", "/a*", "", "/", "a*a*b", "/*")
}

func (r random) literal() string {
	switch r.IntN(4) {
	case 0:
		return `~"` + r.pattern() + `"`
	case 1:
		return `r"` + pick(r, "a", "^/", "b$", "a+b?", "^$") + `"`
	}
	return `"` + r.text() + `"`
}

func (r random) list(item func() string) string {
	items := make([]string, 1+pick(r, 0, 1, 2, fewValues+2))
	for i := range items {
		items[i] = item()
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// of puts a field of a process under one of its prefixes.
func (r random) of(name string) string {
	return pick(r, "process.", "process.", "process.ancestors.", "process.ancestors[A].") + name
}

func (r random) number() string {
	return pick(r, "0", "1", "2", "3", "64", "65", "-1", "O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC", "O_ACCMODE", "4294967295")
}

func (r random) arithmetic(depth int) string {
	if depth > 0 && r.IntN(3) == 0 {
		return "(" + r.arithmetic(depth-1) + " " + pick(r, "+", "-", "&", "|", "^", "&", "&") + " " + r.arithmetic(depth-1) + ")"
	}
	switch r.IntN(8) {
	case 0:
		return r.number()
	case 1:
		return pick(r, "- ", "^") + r.number()
	case 2:
		return pick(r, "open.retval", "process.uid", "open.file.path.length")
	}
	return "open.flags"
}

func (r random) comparison() string {
	equality, order := pick(r, "==", "!="), pick(r, "==", "!=", "<", "<=", ">", ">=")
	switch r.IntN(21) {
	case 0, 1, 2:
		return fmt.Sprintf("open.flags & %s %s %s", r.number(), order, r.number())
	case 3:
		return fmt.Sprintf("open.flags %s %s", pick(r, "in", "not in"), r.list(func() string { return pick(r, "0", "1", "64", "65") }))
	case 4:
		return fmt.Sprintf("%s %s %s", r.arithmetic(2), order, r.arithmetic(2))
	case 5:
		return fmt.Sprintf("%s %s %s", r.of("uid"), order, r.number())
	case 6:
		return fmt.Sprintf("%s %s %s", r.of(pick(r, "file.path", "comm", "argv", "argv[1]")), equality, r.literal())
	case 7:
		return fmt.Sprintf("open.file.%s %s %s", pick(r, "path", "name"), pick(r, "=~", "!~"), `"`+r.pattern()+`"`)
	case 8:
		return fmt.Sprintf("open.file.%s %s %s", pick(r, "path", "name"), pick(r, "in", "not in"), r.list(r.literal))
	case 9:
		return fmt.Sprintf("%s %s %s", r.of(pick(r, "argv", "comm")), pick(r, "in", "not in", "allin"), r.list(r.literal))
	case 10:
		return fmt.Sprintf("%s in %s", r.literal(), r.of("argv"))
	case 11:
		return fmt.Sprintf("%s %s %s", r.of("created_at"), pick(r, "==", "<", "<=", ">", ">="), pick(r, "1s", "2s", "3ms"))
	case 12:
		return fmt.Sprintf("open.addrs %s %s", pick(r, "in", "not in", "allin"), r.list(func() string {
			return pick(r, "10.0.0.0/8", "10.0.0.1", "::1", "fe80::/10", "0.0.0.0/0")
		}))
	case 13:
		return fmt.Sprintf("open.addr %s %s", equality, pick(r, "10.0.0.1", "10.0.0.0/8", "::1"))
	case 14:
		return fmt.Sprintf("open.numbers %s %s", order, r.number())
	case 15:
		return fmt.Sprintf("process.file.path %s open.file.path", equality)
	}
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("%s %s ${words}", r.of(pick(r, "argv", "comm", "file.name")), pick(r, "in", "not in"))
	case 1:
		return fmt.Sprintf("%s %s ${process.numbers}", r.of("uid"), pick(r, "in", "not in"))
	case 2:
		return fmt.Sprintf("${count} %s %s", order, r.arithmetic(1))
	case 3:
		return fmt.Sprintf("process.argv %s %%{process.ancestors.argv}", pick(r, "in", "not in"))
	}
	return pick(r, "event.async", r.of("is_thread"), "event.async == "+pick(r, "true", "false"))
}

// texts asks only for the names of the file and the process, as most rules do.
func (r random) texts(depth int) string {
	if depth > 0 && r.IntN(3) > 0 {
		return pick(r, "", "", "", "!") + "(" + r.texts(depth-1) + pick(r, " && ", " || ", " || ") + r.texts(depth-1) + ")"
	}
	field := pick(r, "open.file.path", "open.file.path", "open.file.name", "process.comm")
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf("%s %s %s", field, pick(r, "in", "in", "not in"), r.list(r.literal))
	case 1:
		return fmt.Sprintf("%s %s \"%s\"", field, pick(r, "=~", "=~", "!~"), r.pattern())
	case 2:
		return fmt.Sprintf("%s == %s", r.literal(), field)
	}
	return fmt.Sprintf("%s %s %s", field, pick(r, "==", "==", "!="), r.literal())
}

func (r random) expression(depth int) string {
	if depth == 0 || r.IntN(4) == 0 {
		return r.comparison()
	}
	switch r.IntN(5) {
	case 0:
		return "!(" + r.expression(depth-1) + ")"
	case 1:
		return "(" + r.expression(depth-1) + ")"
	}
	return r.comparison() + pick(r, " && ", " || ") + r.expression(depth-1)
}

func (r random) process(ancestors int) *testProcess {
	p := &testProcess{
		UID: int64(r.IntN(4)), CreatedAt: int64(r.IntN(5)) * 1e9, Comm: r.text(), Thread: r.IntN(2) == 0,
		File: testFile{Path: r.text(), Name: r.text()},
	}
	for range r.IntN(4) {
		p.Argv = append(p.Argv, r.text())
	}
	if ancestors > 0 {
		p.Parent = r.process(ancestors - 1)
	}
	return p
}

// randomVariables are what expressions may name, and randomSetters the rule that makes them in a set.
var randomVariables = map[string]*VariableSpec{
	"words":           {Name: "words", Type: TypeString, Array: true},
	"process.numbers": {Name: "numbers", Scope: ScopeProcess, Type: TypeInt, Array: true},
	"count":           {Name: "count", Type: TypeInt},
}

const randomSetters = `
  - id: setters
    expression: connect.addr.port == 1
    actions:
      - set: {name: words, value: a, append: true}
      - set: {name: numbers, value: 1, append: true, scope: process}
      - set: {name: count, value: 1}
`

// set gives an event values of the variables.
func (r random) set(e *testEvent, specs []*VariableSpec) {
	e.Variables = map[*VariableSpec]*Value{}
	for _, spec := range specs {
		v := &Value{Int: int64(r.IntN(4))}
		for range r.IntN(3) {
			v.Ints, v.Strings = append(v.Ints, int64(r.IntN(4))), append(v.Strings, r.text())
		}
		e.Variables[spec] = v
	}
}

func (r random) event() *testEvent {
	e := &testEvent{
		Process: r.process(1 + r.IntN(3)), Now: 5e9, Async: r.IntN(2) == 0,
		File:  testFile{Path: r.text(), Name: r.text()},
		Flags: pick(r, 0, 0, 1, 2, 64, 65, 512, 577, int64(r.Uint32())), Retval: int64(r.IntN(4)) - 1,
		IP: pick(r, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::1"), netip.Addr{}),
	}
	for range 1 + r.IntN(2) {
		e.IPs = append(e.IPs, hostPrefix(pick(r, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("fe80::1"))))
		e.Immediates = append(e.Immediates, int64(r.IntN(4)))
	}
	return e
}
