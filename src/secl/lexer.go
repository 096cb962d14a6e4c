package secl

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// kind classifies a token.
type kind uint8

const (
	endOfInput kind = iota
	identToken
	intToken
	stringToken
	durationToken
	ipToken
	variableToken
	referenceToken
	punctuation
)

// token is one lexical element with its value worked out.
type token struct {
	Span
	kind kind
	text string // identifier, punctuation, string content, variable or field name
	form Form
	num  int64 // integer, or duration in nanoseconds
	ip   netip.Prefix
	net  bool
}

// is tells whether t is the given punctuation or keyword.
func (t *token) is(text string) bool {
	return (t.kind == punctuation || t.kind == identToken) && t.text == text
}

type lexer struct {
	src string
	pos int
}

// pairs are operators of two characters. The language reads them as two tokens, so blanks may stand between.
var pairs = map[byte]string{'=': "=~", '!': "=~", '<': "=", '>': "=", '&': "&", '|': "|"}

var durationUnits = []struct {
	suffix string
	unit   time.Duration
}{
	{"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour},
}

// next reads one token.
func (l *lexer) next() (token, error) {
	l.skipBlanks()
	start := l.pos
	if start == len(l.src) {
		return token{Span: Span{start, start}}, nil
	}
	c, rest := l.src[start], l.src[start:]
	switch {
	case c == '"':
		return l.quoted(1, Plain)
	case strings.HasPrefix(rest, `~"`):
		return l.quoted(2, Pattern)
	case strings.HasPrefix(rest, `r"`):
		return l.quoted(2, Regexp)
	case strings.HasPrefix(rest, "${"):
		return l.braced(variableToken)
	case strings.HasPrefix(rest, "%{"):
		return l.braced(referenceToken)
	}
	if n := addressLength(rest); n > 0 {
		return l.address(n)
	}
	switch {
	case isLetter(c):
		return l.ident(), nil
	case isDigit(c), (c == '-' || c == '+') && len(rest) > 1 && isDigit(rest[1]):
		return l.number()
	case strings.IndexByte("!=<>+-[](),&|~^%", c) >= 0:
		return l.operator(), nil
	}
	return token{}, errorAt(l.src, Span{start, start + 1}, "unexpected character %q", c)
}

func (l *lexer) skipBlanks() {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.pos++
		case rest[0] == '#', strings.HasPrefix(rest, "//"):
			line, _, _ := strings.Cut(rest, "\n")
			l.pos += len(line)
		default:
			return
		}
	}
}

// quoted reads a string whose first character is at offset skip. A backslash only keeps the next character from
// ending the string; it stays in the text.
func (l *lexer) quoted(skip int, form Form) (token, error) {
	start := l.pos
	for i := start + skip; i < len(l.src); i++ {
		switch l.src[i] {
		case '\\':
			i++
		case '"':
			l.pos = i + 1
			return token{Span: Span{start, l.pos}, kind: stringToken, text: l.src[start+skip : i], form: form}, nil
		}
	}
	return token{}, errorAt(l.src, Span{start, start + skip}, "string is not closed")
}

func (l *lexer) braced(k kind) (token, error) {
	start := l.pos
	n := strings.IndexByte(l.src[start:], '}')
	if n < 0 {
		return token{}, errorAt(l.src, Span{start, start + 2}, "%q is not closed by }", l.src[start:start+2])
	}
	l.pos = start + n + 1
	name, at := l.src[start+2:start+n], Span{start, l.pos}
	if !isName(name) {
		return token{}, errorAt(l.src, at, "%q is not a name", name)
	}
	return token{Span: at, kind: k, text: name}, nil
}

// ident reads an identifier. A subscript belongs to it only when it is closed and holds a name or number, so that
// the bracket that ends a list of identifiers isn't swallowed.
func (l *lexer) ident() token {
	start := l.pos
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		if isLetter(c) || isDigit(c) || c == '.' {
			l.pos++
			continue
		}
		n := subscriptLength(l.src[l.pos:])
		if n == 0 || isKeyword(l.src[start:l.pos]) {
			break
		}
		l.pos += n
	}
	return token{Span: Span{start, l.pos}, kind: identToken, text: l.src[start:l.pos]}
}

func subscriptLength(s string) int {
	if s[0] != '[' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		if s[i] == ']' && i > 1 {
			return i + 1
		}
		if !isLetter(s[i]) && !isDigit(s[i]) {
			return 0
		}
	}
	return 0
}

func (l *lexer) number() (token, error) {
	start := l.pos
	end := start + 1
	for end < len(l.src) && (isLetter(l.src[end]) || isDigit(l.src[end])) {
		end++
	}
	l.pos = end
	text, at := l.src[start:end], Span{start, end}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return token{Span: at, kind: intToken, num: n}, nil
	}
	for _, u := range durationUnits {
		digits, found := strings.CutSuffix(text, u.suffix)
		if !found || !isDigit(text[0]) {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > int64(1<<63-1)/int64(u.unit) {
			break
		}
		return token{Span: at, kind: durationToken, num: n * int64(u.unit)}, nil
	}
	return token{}, errorAt(l.src, at, "%q is not a decimal number of 64 bits or a duration (ms, s, m, h, d)", text)
}

func (l *lexer) operator() token {
	start := l.pos
	first := l.src[start]
	l.pos++
	if second := pairs[first]; second != "" {
		after := &lexer{l.src, l.pos}
		after.skipBlanks()
		if after.pos < len(l.src) && strings.IndexByte(second, l.src[after.pos]) >= 0 {
			l.pos = after.pos + 1
			return token{Span: Span{start, l.pos}, kind: punctuation, text: string(first) + string(l.src[after.pos])}
		}
	}
	return token{Span: Span{start, l.pos}, kind: punctuation, text: l.src[start:l.pos]}
}

// addressLength gives how many bytes at the start of s look like an address or network; 0 if it is something else.
func addressLength(s string) int {
	n, colons, dots := 0, 0, 0
	for n < len(s) && (isHex(s[n]) || s[n] == ':' || s[n] == '.') {
		switch s[n] {
		case ':':
			colons++
		case '.':
			dots++
		}
		n++
	}
	if colons < 2 && (dots != 3 || !isDigit(s[0])) {
		return 0
	}
	if n < len(s) && s[n] == '/' && (n+1 == len(s) || s[n+1] != '/') {
		for n++; n < len(s) && isDigit(s[n]); n++ {
		}
	}
	return n
}

func (l *lexer) address(n int) (token, error) {
	at := Span{l.pos, l.pos + n}
	text := l.src[at.From:at.To]
	l.pos = at.To
	t := token{Span: at, kind: ipToken, text: text, net: strings.Contains(text, "/")}
	if t.net {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return t, errorAt(l.src, at, "%q is not a network in CIDR notation", text)
		}
		t.ip = unmapped(p)
		return t, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return t, errorAt(l.src, at, "%q is not an IP address", text)
	}
	t.ip = hostPrefix(a)
	return t, nil
}

// unmapped makes an IPv4 network of one in IPv6 clothes.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p
}

// hostPrefix is the network that holds a alone. IPv4 addresses in IPv6 clothes count as IPv4.
func hostPrefix(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen())
}

func isName(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && !isDigit(s[i]) && s[i] != '.' {
			return false
		}
	}
	return s != ""
}

func isKeyword(s string) bool {
	switch s {
	case "and", "or", "not", "in", "allin", "true", "false":
		return true
	}
	return false
}

func isLetter(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
