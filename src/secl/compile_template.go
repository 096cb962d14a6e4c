package secl

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// part appends one piece of a string to a buffer.
type part[C any] func(*state[C], []byte) []byte

// template compiles a string with ${…} or %{…} in it. The arrays among them are joined by commas. Evaluating it
// allocates the string.
func (k *compiler[C]) template(n *StringLiteral) (value[C], error) {
	var parts []part[C]
	for text := n.Text; text != ""; {
		i := strings.IndexAny(text, "$%")
		if i < 0 {
			parts = append(parts, fixed[C](text))
			break
		}
		if !strings.HasPrefix(text[i+1:], "{") {
			parts, text = append(parts, fixed[C](text[:i+1])), text[i+1:]
			continue
		}
		end := i + strings.IndexByte(text[i:], '}')
		if end < i {
			return value[C]{}, k.fail(n, "%q in a string is not closed by }", text[i:i+2])
		}
		v, err := k.embedded(n, text[i], text[i+2:end])
		if err != nil {
			return v, err
		}
		parts = append(parts, fixed[C](text[:i]), show(v))
		text = text[end+1:]
	}
	return value[C]{node: n, typ: TypeString, weight: weightPattern, string: scalar(func(s *state[C]) string {
		var buffer [128]byte
		out := buffer[:0]
		for _, p := range parts {
			out = p(s, out)
		}
		return string(out)
	})}, nil
}

// embedded compiles what stands between the braces; sigil is $ or %.
func (k *compiler[C]) embedded(n *StringLiteral, sigil byte, name string) (value[C], error) {
	switch {
	case !isName(name):
		return value[C]{}, k.fail(n, "%q in a string is not a name", name)
	case sigil == '$':
		return k.compile(&Variable{n.Span, name})
	}
	return k.compile(&Reference{n.Span, name})
}

func fixed[C any](text string) part[C] {
	return func(_ *state[C], b []byte) []byte { return append(b, text...) }
}

// show appends a value the way events print it.
func show[C any](v value[C]) part[C] {
	switch v.typ {
	case TypeInt:
		return joined(v.int, func(b []byte, x int64) []byte { return strconv.AppendInt(b, x, 10) })
	case TypeString:
		return joined(v.string, func(b []byte, x string) []byte { return append(b, x...) })
	case TypeBool:
		return joined(v.bool, strconv.AppendBool)
	}
	return joined(v.ip, func(b []byte, x netip.Prefix) []byte { return append(b, printPrefix(x)...) })
}

func joined[C, T any](o operand[C, T], show func([]byte, T) []byte) part[C] {
	if o.get != nil {
		return func(s *state[C], b []byte) []byte { return show(b, o.get(s)) }
	}
	return func(s *state[C], b []byte) []byte {
		first := true
		o.some(s, func(_ *state[C], x T) bool {
			if !first {
				b = append(b, ',')
			}
			b, first = show(b, x), false
			return false
		})
		return b
	}
}

// printPrefix leaves the length out where the network is a single address; "" for the zero address.
func printPrefix(p netip.Prefix) string {
	switch {
	case !p.IsValid():
		return ""
	case p.IsSingleIP():
		return p.Addr().String()
	}
	return p.String()
}

// printValue shows one element of a field for matches.
func printValue(v any) string {
	if p, ok := v.(netip.Prefix); ok {
		return printPrefix(p)
	}
	return fmt.Sprint(v)
}
