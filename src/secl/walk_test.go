package secl

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// walker evaluates a tree the plain way: every value is looked up and compared anew. The compiled closures must agree
// with it.
type walker struct {
	e       *testEvent
	element *testProcess
}

func walk(n Node, e *testEvent) bool {
	if !strings.Contains(Print(n), "[A]") {
		return (&walker{e: e}).truth(n)
	}
	for p := e.Process.Parent; p != nil; p = p.Parent {
		if (&walker{e, p}).truth(n) {
			return true
		}
	}
	return false
}

func (w *walker) truth(n Node) bool {
	switch n := n.(type) {
	case *Unary:
		return !w.truth(n.Operand)
	case *Ident:
		return slices.Contains(w.all(n), any(true))
	case *Binary:
		switch n.Op {
		case "&&":
			return w.truth(n.Left) && w.truth(n.Right)
		case "||":
			return w.truth(n.Left) || w.truth(n.Right)
		case "in", "allin":
			return w.member(n)
		case "not in":
			return !w.member(n)
		case "!=":
			return !w.some("==", n.Left, n.Right)
		case "!~":
			return !w.some("=~", n.Left, n.Right)
		}
		return w.some(n.Op, n.Left, n.Right)
	}
	panic("no truth value: " + Print(n))
}

func (w *walker) member(n *Binary) bool {
	list, ok := n.Right.(*List)
	if ip, isIP := n.Right.(*IPLiteral); isIP {
		list, ok = &List{Items: []Node{ip}}, true
	}
	if _, literal := n.Left.(*StringLiteral); !ok && literal {
		return w.some("==", n.Right, n.Left)
	}
	if !ok {
		return slices.ContainsFunc(w.all(n.Left), func(x any) bool { return slices.Contains(w.all(n.Right), x) })
	}
	in := func(x any) bool {
		return slices.ContainsFunc(list.Items, func(item Node) bool { return w.holds("==", x, n.Left, item) })
	}
	values := w.all(n.Left)
	if n.Op == "allin" && len(values) > 0 {
		if _, isIP := values[0].(netip.Prefix); isIP {
			return !slices.ContainsFunc(values, func(x any) bool { return !in(x) })
		}
	}
	return slices.ContainsFunc(values, in)
}

// some tells whether any element on the left stands in relation to the right.
func (w *walker) some(op string, left, right Node) bool {
	if _, constant := left.(*StringLiteral); constant && op == "==" {
		left, right = right, left
	}
	return slices.ContainsFunc(w.all(left), func(x any) bool { return w.holds(op, x, left, right) })
}

func (w *walker) holds(op string, x any, left, right Node) bool {
	if d, ok := right.(*DurationLiteral); ok {
		age := w.e.Now - x.(int64)
		if b, ok := left.(*Binary); ok && (b.Op == "+" || b.Op == "-") {
			age = x.(int64)
		}
		return holds(op, age, int64(d.Value))
	}
	if s, ok := right.(*StringLiteral); ok {
		return stringHolds(op, x.(string), s, strings.HasSuffix(Print(left), ".path"))
	}
	y := w.all(right)[0]
	switch x := x.(type) {
	case int64:
		return holds(op, x, y.(int64))
	case string:
		return x == y.(string)
	case bool:
		return x == y.(bool)
	}
	return x.(netip.Prefix).Overlaps(y.(netip.Prefix))
}

func stringHolds(op, x string, s *StringLiteral, path bool) bool {
	switch {
	case s.Form == Regexp:
		return regexp.MustCompile(s.Text).MatchString(x)
	case s.Form == Plain && op == "==":
		return x == s.Text
	case !path || !strings.Contains(s.Text, "*"):
		return star(s.Text, x)
	}
	if strings.HasPrefix(s.Text, "*/") {
		return globbed("/"+s.Text, x)
	}
	return globbed(s.Text, x)
}

// star matches * with any run, by trying every one.
func star(pattern, x string) bool {
	if pattern == "" {
		return x == ""
	}
	if pattern[0] != '*' {
		return x != "" && x[0] == pattern[0] && star(pattern[1:], x[1:])
	}
	for i := range len(x) + 1 {
		if star(pattern[1:], x[i:]) {
			return true
		}
	}
	return false
}

func globbed(pattern, x string) bool {
	p, s := strings.Split(pattern, "/"), strings.Split(x, "/")
	if last := len(p) - 1; p[last] == "**" {
		if len(s) <= last || strings.Join(s[last:], "/") == "" {
			return false
		}
		p, s = p[:last], s[:last]
	}
	return slices.EqualFunc(p, s, star)
}

// all gives the elements of a value; a scalar is one.
func (w *walker) all(n Node) []any {
	switch n := n.(type) {
	case *IntLiteral:
		return []any{n.Value}
	case *StringLiteral:
		return []any{n.Text}
	case *IPLiteral:
		return []any{n.Prefix}
	case *Unary:
		x := w.all(n.Operand)[0].(int64)
		return []any{map[string]int64{"-": -x, "^": ^x}[n.Op]}
	case *Binary:
		x, y := w.all(n.Left)[0].(int64), w.all(n.Right)[0].(int64)
		return []any{map[string]int64{"+": x + y, "-": x - y, "&": x & y, "|": x | y, "^": x ^ y}[n.Op]}
	case *Ident:
		return w.field(n.Name)
	case *Reference:
		return w.field(n.Name)
	case *Variable:
		return w.variable(n.Name)
	}
	panic("no value: " + Print(n))
}

func (w *walker) variable(name string) []any {
	for spec, v := range w.e.Variables {
		switch {
		case spec.Reference() != name:
		case spec.Array && spec.Type == TypeInt:
			return anys(v.Ints)
		case spec.Array:
			return anys(v.Strings)
		default:
			return []any{v.Int}
		}
	}
	panic("no variable: " + name)
}

func (w *walker) field(name string) []any {
	if c, ok := constantNamed(name); ok {
		if c.isBool {
			return []any{c.value == 1}
		}
		return []any{c.value}
	}
	if rest, ok := strings.CutPrefix(name, "process.ancestors[A]."); ok {
		return processField(w.element, rest)
	}
	if rest, ok := strings.CutPrefix(name, "process.ancestors."); ok {
		var out []any
		for p := w.e.Process.Parent; p != nil; p = p.Parent {
			out = append(out, processField(p, rest)...)
		}
		return out
	}
	if rest, ok := strings.CutPrefix(name, "process."); ok {
		return processField(w.e.Process, rest)
	}
	return eventField(w.e, name)
}

func processField(p *testProcess, name string) []any {
	switch name {
	case "uid":
		return []any{p.UID}
	case "created_at":
		return []any{p.CreatedAt}
	case "comm":
		return []any{p.Comm}
	case "is_thread":
		return []any{p.Thread}
	case "file.path":
		return []any{p.File.Path}
	case "file.name":
		return []any{p.File.Name}
	case "argv":
		return anys(p.Argv)
	case "argv[1]":
		if len(p.Argv) < 2 {
			return []any{""}
		}
		return []any{p.Argv[1]}
	}
	panic("no field of a process: " + name)
}

func eventField(e *testEvent, name string) []any {
	switch name {
	case "open.flags":
		return []any{e.Flags}
	case "open.retval":
		return []any{e.Retval}
	case "open.file.path":
		return []any{e.File.Path}
	case "open.file.path.length":
		return []any{int64(len(e.File.Path))}
	case "open.file.name":
		return []any{e.File.Name}
	case "event.async":
		return []any{e.Async}
	case "open.addr":
		return []any{hostPrefix(e.IP)}
	case "open.addrs":
		return anys(e.IPs)
	case "open.numbers":
		return anys(e.Immediates)
	}
	panic("no field of an event: " + name)
}

func anys[T any](list []T) (out []any) {
	for _, x := range list {
		out = append(out, x)
	}
	return out
}
