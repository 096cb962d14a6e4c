package secl

import (
	"fmt"
	"strings"
)

// Error is a mistake at one place of an expression.
type Error struct {
	Source  string // the whole expression
	Offset  int    // byte offset of the place
	Length  int    // bytes it covers; 0 at the end of the expression
	Message string
}

// Error gives one line: where, what, and what was meant where that can be guessed.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line(), e.Column(), e.Message)
}

// Line counts from 1 within the expression.
func (e *Error) Line() int { return 1 + strings.Count(e.Source[:e.Offset], "\n") }

// Column counts bytes from 1 within the line.
func (e *Error) Column() int { return e.Offset - strings.LastIndexByte(e.Source[:e.Offset], '\n') }

// Caret shows the line with a caret under the place, for terminals.
func (e *Error) Caret() string {
	from := strings.LastIndexByte(e.Source[:e.Offset], '\n') + 1
	line, _, _ := strings.Cut(e.Source[from:], "\n")
	// A tab before the caret must stay a tab, or the caret points elsewhere.
	blank := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, e.Source[from:e.Offset])
	width := max(1, min(e.Length, len(line)-(e.Offset-from)))
	return line + "\n" + blank + strings.Repeat("^", width)
}

func errorAt(source string, s Span, format string, args ...any) *Error {
	from := min(s.From, len(source))
	to := min(max(s.To, from), len(source))
	return &Error{Source: source, Offset: from, Length: to - from, Message: fmt.Sprintf(format, args...)}
}
