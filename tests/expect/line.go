// Package expect reads what a test program says that it did, and compares it with the events that a tracer reported;
// running programs and receiving events are left to others.
package expect

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
)

// Report is all that the processes of one run said, in the order in which they said it.
type Report struct {
	Lines []Line
	Skips []string // reasons for which a program left parts out
}

// Line is one event that must be reported, or N events that look alike.
type Line struct {
	Kind       event.Kind
	PID        uint32
	Counted    bool // anywhere among the process's events, N times
	N          int
	Attributes []Attribute
	Text       string // as the program printed it
}

// Attribute is one thing that the line says of its event. A key may come several times: the arguments of a program.
type Attribute struct{ Key, Value string }

// Parse reads a program's output. Lines that are neither of the three kinds are an error: nothing a program prints
// may go unnoticed.
func Parse(output string) (Report, error) {
	var r Report
	for number, text := range strings.Split(strings.TrimSuffix(output, "\n"), "\n") {
		if reason, ok := strings.CutPrefix(text, "skip "); ok {
			r.Skips = append(r.Skips, reason)
			continue
		}
		if text == "" {
			continue
		}
		line, err := parseLine(text)
		if err != nil {
			return r, fmt.Errorf("line %d: %w", number+1, err)
		}
		r.Lines = append(r.Lines, line)
	}
	return r, nil
}

func parseLine(text string) (Line, error) {
	line := Line{Text: text}
	word, rest, _ := strings.Cut(text, " ")
	switch word {
	case "expect":
	case "count":
		line.Counted = true
	default:
		return line, fmt.Errorf("read expectation %q: it begins with neither expect, count nor skip", text)
	}
	word, rest, _ = strings.Cut(rest, " ")
	var err error
	if line.Kind, err = kindNamed(word); err != nil {
		return line, err
	}
	attributes, err := parseAttributes(rest)
	if err != nil {
		return line, fmt.Errorf("read expectation %q: %w", text, err)
	}
	return line, line.take(attributes)
}

// kindNamed takes the names of the rule language; a set*id call and its fs twin share one.
func kindNamed(name string) (event.Kind, error) {
	for _, k := range event.Kinds() {
		if k.String() == name {
			return k, nil
		}
	}
	return event.Unknown, fmt.Errorf("read expectation: no kind of event is named %q", name)
}

func parseAttributes(text string) ([]Attribute, error) {
	var all []Attribute
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimLeft(text, " ") {
		key, rest, ok := strings.Cut(text, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \"") {
			return nil, fmt.Errorf("no key=value at %q", text)
		}
		value, after, err := parseValue(rest)
		if err != nil {
			return nil, err
		}
		all = append(all, Attribute{key, value})
		text = after
	}
	return all, nil
}

func parseValue(text string) (value, rest string, err error) {
	if !strings.HasPrefix(text, `"`) {
		value, rest, _ = strings.Cut(text, " ")
		return value, rest, nil
	}
	quoted, err := strconv.QuotedPrefix(text)
	if err != nil {
		return "", "", fmt.Errorf("unquote %q: %w", text, err)
	}
	value, err = strconv.Unquote(quoted)
	return value, text[len(quoted):], err
}

// take keeps the attributes that are about events, and checks that each can be compared.
func (l *Line) take(attributes []Attribute) error {
	for _, a := range attributes {
		switch a.Key {
		case "pid", "n":
			number, err := strconv.ParseUint(a.Value, 10, 32)
			if err != nil {
				return fmt.Errorf("read expectation %q: %w", l.Text, err)
			}
			if a.Key == "n" {
				l.N = int(number)
			} else {
				l.PID = uint32(number)
			}
		default:
			if !known(l.Kind, a.Key) {
				return fmt.Errorf("read expectation %q: %s events have no attribute %q", l.Text, l.Kind, a.Key)
			}
			l.Attributes = append(l.Attributes, a)
		}
	}
	if l.PID == 0 {
		return fmt.Errorf("read expectation %q: it names no pid", l.Text)
	}
	return nil
}
