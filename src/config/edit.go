package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Set gives the text of a configuration file with one key set, and every other byte as it was: comments, order, indentation
// and line ends. The value is written as for an environment variable. What can't be edited safely is an error, with what to do
// by hand.
func Set(path string, text []byte, key, value string) ([]byte, error) {
	before, _, err := Parse(path, text, nil)
	if err != nil {
		return nil, err
	}
	want, err := with(before, key, value)
	if err != nil {
		return nil, err
	}
	if oddLineEnd.Match(text) {
		return nil, fmt.Errorf("%s: it has line ends that are neither LF nor CRLF; write it anew with one of them, it is as it was", path)
	}
	e := editor{lines: strings.SplitAfter(string(text), "\n"), end: "\n"}
	if strings.Contains(e.lines[0], "\r\n") {
		e.end = "\r\n"
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	shown, err := written(key, value)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(key, ".")
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		e.append(parts, shown, 0)
	} else {
		err = e.set(document.Content[0], nil, parts, shown)
	}
	out := []byte(strings.Join(e.lines, ""))
	// YAML has more ways to write a thing than an editor can know: the result says whether this was one of them.
	after, _, parseErr := Parse(path, out, nil)
	if err == nil && (parseErr != nil || !reflect.DeepEqual(after, want) || !sameBeside(text, out, parts)) {
		err = errors.New("it is written in a way that can't be edited safely")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s can't be set: %w; set it by hand, the file is as it was", path, key, err)
	}
	return out, nil
}

// oddLineEnd ends a line for YAML (1.1, section 4.2) and not for an editor that goes by LF.
var oddLineEnd = regexp.MustCompile("\r([^\n]|$)|[\u0085\u2028\u2029]")

// with is a configuration in which one key has another value.
func with(c *Config, key, value string) (*Config, error) {
	for _, r := range rows {
		if r.key != key {
			continue
		}
		v, err := parseText(r.field(c), value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		out := *c
		assign(r.field(&out), v)
		return &out, out.check()
	}
	return nil, fmt.Errorf("%s is no key of the configuration (system-probe config prints them all)", key)
}

// sameBeside tells whether two texts say the same but for one key; those that the probe does not know belong to others.
func sameBeside(before, after []byte, parts []string) bool {
	var trees [2]map[string]any
	for i, text := range [][]byte{before, after} {
		if err := yaml.Unmarshal(text, &trees[i]); err != nil {
			return false
		}
		if trees[i] == nil {
			trees[i] = map[string]any{}
		}
		remove(trees[i], parts)
	}
	return reflect.DeepEqual(trees[0], trees[1])
}

// remove takes a key out, and what is empty without it.
func remove(tree map[string]any, parts []string) {
	child, isTree := tree[parts[0]].(map[string]any)
	if isTree && len(parts) > 1 {
		remove(child, parts[1:])
	}
	if len(parts) == 1 || len(child) == 0 && (isTree || tree[parts[0]] == nil) {
		delete(tree, parts[0])
	}
}

// written is a value as YAML of one line; JSON is, too.
func written(key, value string) (string, error) {
	for _, r := range rows {
		if r.key != key {
			continue
		}
		switch v, err := parseText(r.field(Default()), value); v := v.(type) {
		case bool, int, time.Duration:
			return fmt.Sprint(v), err
		default:
			text, jsonErr := json.Marshal(v)
			return string(text), errors.Join(err, jsonErr)
		}
	}
	return value, nil
}

// editor changes lines, which keep their ends.
type editor struct {
	lines []string
	end   string
}

// append writes keys at the end of the file.
func (e *editor) append(parts []string, value string, indent int) {
	if last := e.lines[len(e.lines)-1]; last != "" && last != byteOrderMark {
		e.lines[len(e.lines)-1] = last + e.end
	}
	e.lines = append(e.lines, e.block(parts, value, indent)...)
}

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\ufeff"

// at is the place of a column in a line: the library counts characters from 1, and not the mark.
func at(line string, column int) int {
	place := 0
	if strings.HasPrefix(line, byteOrderMark) {
		place = len(byteOrderMark)
	}
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(line[place:])
		place += size
	}
	return place
}

func (e *editor) block(parts []string, value string, indent int) []string {
	var out []string
	for i, part := range parts {
		line := strings.Repeat(" ", indent+2*i) + part + ":"
		if i == len(parts)-1 {
			line += " " + value
		}
		out = append(out, line+e.end)
	}
	return out
}

// set follows parts down from a mapping, whose own key is above (nil for the document).
func (e *editor) set(mapping, above *yaml.Node, parts []string, value string) error {
	if mapping.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d has an alias or a value where keys are expected", mapping.Line)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		name, node := mapping.Content[i], mapping.Content[i+1]
		switch {
		case name.Value != parts[0]:
			continue
		case len(parts) == 1:
			return e.replace(name, node, value)
		case node.Tag == "!!null" && node.Value == "":
			e.insert(name.Line, e.block(parts[1:], value, name.Column-1+2))
			return nil
		}
		return e.set(node, name, parts[1:], value)
	}
	switch {
	case mapping.Style&yaml.FlowStyle != 0:
		return e.insertFlow(mapping, parts, value)
	case above == nil:
		e.append(parts, value, mapping.Content[0].Column-1)
	default: // first, right below the key: a comment further down belongs to what follows it
		e.insert(above.Line, e.block(parts, value, mapping.Content[0].Column-1))
	}
	return nil
}

// insert puts lines behind a line, which counts from 1.
func (e *editor) insert(line int, more []string) {
	if last := e.lines[line-1]; !strings.HasSuffix(last, "\n") {
		e.lines[line-1] = last + e.end
		more[len(more)-1] = strings.TrimSuffix(more[len(more)-1], e.end)
	}
	e.lines = append(e.lines[:line:line], append(more, e.lines[line:]...)...)
}

func (e *editor) insertFlow(mapping *yaml.Node, parts []string, value string) error {
	line := e.lines[mapping.Line-1]
	from := at(line, mapping.Column)
	if from >= len(line) || line[from] != '{' {
		return fmt.Errorf("line %d has an anchor or a tag", mapping.Line)
	}
	text := strings.Join(parts, ": {") + ": " + value + strings.Repeat("}", len(parts)-1)
	if len(mapping.Content) > 0 {
		text += ", "
	}
	e.lines[mapping.Line-1] = line[:from+1] + text + line[from+1:]
	return nil
}

// replace writes another value in the place of a scalar, or of a list in brackets on one line.
func (e *editor) replace(name, node *yaml.Node, value string) error {
	if node.Tag == "!!null" && node.Value == "" {
		line := e.lines[name.Line-1]
		from := at(line, name.Column)
		from += strings.IndexByte(line[from:], ':') + 1
		e.lines[name.Line-1] = line[:from] + " " + value + line[from:]
		return nil
	}
	line := e.lines[node.Line-1]
	from := at(line, node.Column)
	to := from + len(node.Value)
	switch {
	case from >= len(line) || line[from] == '&' || line[from] == '*' || line[from] == '!' || line[from] == '|' || line[from] == '>':
		return fmt.Errorf("line %d has an anchor, an alias, a tag or a text of several lines", node.Line)
	case line[from] == '"' || line[from] == '\'' || line[from] == '[':
		closing := map[byte]byte{'"': '"', '\'': '\'', '[': ']'}[line[from]]
		length := strings.IndexByte(line[from+1:], closing)
		if length < 0 {
			return fmt.Errorf("line %d goes on over several lines", node.Line)
		}
		to = from + length + 2
	}
	if to > len(line) {
		return fmt.Errorf("line %d goes on over several lines", node.Line)
	}
	e.lines[node.Line-1] = line[:from] + value + line[to:]
	return nil
}
