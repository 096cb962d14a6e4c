package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

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
		e.append(parts, shown)
	} else {
		err = e.set(document.Content[0], nil, parts, shown)
	}
	out := []byte(strings.Join(e.lines, ""))
	// YAML has more ways to write a thing than an editor can know: the result says whether this was one of them.
	after, _, parseErr := Parse(path, out, nil)
	if err == nil && (parseErr != nil || !reflect.DeepEqual(after, want)) {
		err = errors.New("it is written in a way that can't be edited safely")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s can't be set: %w; set it by hand, the file is as it was", path, key, err)
	}
	return out, nil
}

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
func (e *editor) append(parts []string, value string) {
	if last := e.lines[len(e.lines)-1]; last != "" {
		e.lines[len(e.lines)-1] = last + e.end
	}
	e.lines = append(e.lines, e.block(parts, value, 0)...)
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
		e.append(parts, value)
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
	at := mapping.Column - 1
	if at >= len(line) || line[at] != '{' {
		return fmt.Errorf("line %d has an anchor or a tag", mapping.Line)
	}
	text := strings.Join(parts, ": {") + ": " + value + strings.Repeat("}", len(parts)-1)
	if len(mapping.Content) > 0 {
		text += ", "
	}
	e.lines[mapping.Line-1] = line[:at+1] + text + line[at+1:]
	return nil
}

// replace writes another value in the place of a scalar, or of a list in brackets on one line.
func (e *editor) replace(name, node *yaml.Node, value string) error {
	if node.Tag == "!!null" && node.Value == "" {
		at := strings.IndexByte(e.lines[name.Line-1][name.Column-1:], ':') + name.Column
		line := e.lines[name.Line-1]
		e.lines[name.Line-1] = line[:at] + " " + value + line[at:]
		return nil
	}
	line := e.lines[node.Line-1]
	from := node.Column - 1
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

// SetFile sets a key in a file, which is made where it is missing. The file of before is kept beside it as FILE.bak. It tells
// whether anything had to change: what is right already is not written. A symbolic link stays one.
func SetFile(path, key, value string) (changed bool, err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode := fs.FileMode(0o640)
	text, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	switch {
	case err == nil && statErr == nil:
		mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("read configuration: %w", err)
	}
	before, _, err := Parse(path, text, nil)
	if err != nil {
		return false, err
	}
	want, err := with(before, key, value)
	if err != nil {
		return false, err
	}
	if len(text) > 0 && reflect.DeepEqual(before, want) {
		return false, nil
	}
	out, err := Set(path, text, key, value)
	if err != nil {
		return false, err
	}
	if bytes.Equal(out, text) {
		return false, nil
	}
	if text != nil {
		if err := replaceFile(path+".bak", text, mode, info); err != nil {
			return false, err
		}
	}
	return true, replaceFile(path, out, mode, info)
}

// replaceFile writes beside the file and renames: nobody reads half a file. like is the file whose owner it gets, nil for
// this process's.
func replaceFile(path string, text []byte, mode fs.FileMode, like fs.FileInfo) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(mode), chownLike(file, like), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w (is it immutable, or the disk full?)", path, err)
	}
	return nil
}
