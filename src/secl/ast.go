package secl

import (
	"net/netip"
	"time"
)

// Span is a place in an expression: bytes From up to, without, To.
type Span struct{ From, To int }

// Place lets every node be asked where it stands.
func (s Span) Place() Span { return s }

// Node is a parsed expression: one of the types below.
type Node interface{ Place() Span }

// Form says how a string literal is written, and so how it is compared.
type Form uint8

// The forms of string literals.
const (
	Plain   Form = iota // "…"
	Pattern             // ~"…"
	Regexp              // r"…"
)

// The nodes of an expression. A List appears only to the right of in, not in and allin, and as a whole macro.
type (
	// Binary is left and right joined by an operator. Op is one of
	// && || == != < <= > >= =~ !~ in, not in, allin + - & | ^.
	Binary struct {
		Span
		Op          string
		Left, Right Node
		Grouped     bool // written in parentheses
	}
	// Unary is an operand behind ! - or ^.
	Unary struct {
		Span
		Op      string
		Operand Node
	}
	// Ident names a constant, a macro or a field, subscripts included.
	Ident struct {
		Span
		Name string
	}
	// IntLiteral is a number.
	IntLiteral struct {
		Span
		Value int64
	}
	// StringLiteral is a string, pattern or regexp. Text is what stands between the quotes; the language unescapes nothing.
	StringLiteral struct {
		Span
		Text string
		Form Form
	}
	// DurationLiteral is a length of time.
	DurationLiteral struct {
		Span
		Value time.Duration
	}
	// IPLiteral is an address, or a network when Network is set. An address is a prefix of full length.
	IPLiteral struct {
		Span
		Prefix  netip.Prefix
		Network bool
	}
	// Variable is ${Name}.
	Variable struct {
		Span
		Name string
	}
	// Reference is %{Name}, the value of a field.
	Reference struct {
		Span
		Name string
	}
	// List holds literals of one kind.
	List struct {
		Span
		Items []Node
	}
)
