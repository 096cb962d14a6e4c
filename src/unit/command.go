package unit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Command is one command of an ExecStart= line.
type Command struct {
	// Prefix are the special characters before the path, without @.
	Prefix string
	// Path is the executable, unquoted. Specifiers are not expanded.
	Path string
	// Argv0 is the name that an @ gives the process, as it is written; empty without @.
	Argv0 string
	// Arguments are the words after the path as they are written, with their quotes.
	Arguments []string
}

// prefixes may stand before a path, in any order (systemd.service(5); | is of version 258).
const prefixes = "@-:+!|"

// Commands reads the value of ExecStart=: one command, or several separated by semicolons.
func Commands(value string) ([]Command, error) {
	words, err := Words(value)
	if err != nil {
		return nil, fmt.Errorf("read command line %q: %w", value, err)
	}
	var commands []Command
	for len(words) > 0 {
		end := 0
		for end < len(words) && words[end] != ";" {
			end++
		}
		if end > 0 {
			command, err := newCommand(words[:end])
			if err != nil {
				return nil, fmt.Errorf("read command line %q: %w", value, err)
			}
			commands = append(commands, command)
		}
		words = words[min(end+1, len(words)):]
	}
	return commands, nil
}

func newCommand(words []string) (Command, error) {
	first, err := Unquote(words[0])
	if err != nil {
		return Command{}, err
	}
	path := strings.TrimLeft(first, prefixes)
	prefix := first[:len(first)-len(path)]
	command := Command{Path: path, Prefix: strings.ReplaceAll(prefix, "@", ""), Arguments: words[1:]}
	if path == "" {
		return Command{}, errors.New("it names no program")
	}
	if prefix != command.Prefix {
		if len(words) < 2 {
			return Command{}, errors.New("@ wants a name after the path")
		}
		command.Argv0, command.Arguments = words[1], words[2:]
	}
	return command, nil
}

// Behind gives the command line that runs the command behind a tracer: a program with its flags, which takes the name
// that an @ gives as --argv0, and the command after a double dash.
func (c Command) Behind(tracer ...string) string {
	words := make([]string, 0, len(tracer)+len(c.Arguments)+4)
	for _, word := range tracer {
		words = append(words, Quote(word))
	}
	words[0] = c.Prefix + words[0]
	if c.Argv0 != "" {
		words = append(words, "--argv0", c.Argv0)
	}
	// In the place of an argument a dollar sign would begin a variable, unless a colon forbids that.
	path := c.Path
	if !strings.Contains(c.Prefix, ":") {
		path = strings.ReplaceAll(path, "$", "$$")
	}
	return strings.Join(append(append(words, "--", Quote(path)), c.Arguments...), " ")
}

// Words splits a value at spaces outside quotes and leaves each word as it is written (extract-word.c).
func Words(value string) ([]string, error) {
	var words []string
	var quote byte
	begin := -1
	for i := 0; i < len(value); i++ {
		c := value[i]
		space := strings.IndexByte(" \t\r\n", c) >= 0
		switch {
		case begin < 0 && space:
			continue
		case begin >= 0 && space && quote == 0:
			words = append(words, value[begin:i])
			begin = -1
			continue
		case begin < 0:
			begin = i
		}
		switch {
		case c == '\\' && i+1 == len(value):
			return nil, errors.New("a backslash ends it")
		case c == '\\':
			i++
		case quote == c:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if begin >= 0 {
		words = append(words, value[begin:])
	}
	return words, nil
}

// escapes are those of one letter (systemd.syntax(7)).
var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\', '"': '"', '\'': '\'', 's': ' ',
	';': ';',
}

// bases are the escapes by number: how many digits follow, to which base.
var bases = map[byte]struct{ digits, base int }{'x': {2, 16}, 'u': {4, 16}, 'U': {8, 16}}

// Unquote gives what a written word means, specifiers and variables apart.
func Unquote(word string) (string, error) {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case c == '\\':
			size, err := unescape(&b, word[i+1:])
			if err != nil {
				return "", err
			}
			i += size
		case quote == c:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", fmt.Errorf("a quote %c is not closed", quote)
	}
	return b.String(), nil
}

// unescape writes what an escape stands for; text begins after the backslash. It tells how much of it was used.
func unescape(b *strings.Builder, text string) (int, error) {
	if text == "" {
		return 0, errors.New("a backslash ends it")
	}
	if plain, known := escapes[text[0]]; known {
		b.WriteByte(plain)
		return 1, nil
	}
	skip, digits, base := 1, bases[text[0]].digits, bases[text[0]].base
	if text[0] >= '0' && text[0] <= '7' {
		skip, digits, base = 0, 3, 8
	}
	if base == 0 || len(text) < skip+digits {
		return 0, fmt.Errorf(`\%c is no escape`, text[0])
	}
	code, err := strconv.ParseUint(text[skip:skip+digits], base, 32)
	wide := text[0] == 'u' || text[0] == 'U'
	if err != nil || code == 0 || !wide && code > 0xff || wide && !utf8.ValidRune(rune(code)) {
		return 0, fmt.Errorf(`\%s is no escape`, text[:skip+digits])
	}
	if wide {
		b.WriteRune(rune(code))
	} else {
		b.WriteByte(byte(code))
	}
	return skip + digits, nil
}

// Quote writes a word so that Unquote gives it back. Specifiers and variables in it keep their meaning.
func Quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%${}^~") == "" {
		return word
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(word); i++ {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
