// Package unit reads and writes the text of systemd units: files, command lines, names. Where the files lie and which of
// them count is left to package service.
package unit

import "strings"

// Assignment is one line of a unit file, or several joined by backslashes.
type Assignment struct {
	Section, Key, Value string
}

// File is a unit file, or several of them in the order in which they apply.
type File []Assignment

// Parse reads a unit file as systemd does (config_parse in its conf-parser.c): what it can't make out it passes over, so
// that a unit which systemd loads with a warning is not refused here. Values are as written, quotes and specifiers included.
func Parse(text string) File {
	var file File
	section := ""
	for _, line := range logicalLines(text) {
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = line[1 : len(line)-1]
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if found && section != "" {
			file = append(file, Assignment{section, strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return file
}

// logicalLines joins what backslashes continue and leaves out comments, also those between continued lines.
func logicalLines(text string) []string {
	var lines []string
	joined, open := "", false
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || line == "" && !open {
			continue
		}
		rest, goesOn := strings.CutSuffix(line, `\`)
		if goesOn && trailingBackslashes(line)%2 == 1 {
			joined, open = joined+rest+" ", true
			continue
		}
		lines = append(lines, strings.TrimSpace(joined+line))
		joined, open = "", false
	}
	if open {
		lines = append(lines, strings.TrimSpace(joined))
	}
	return lines
}

func trailingBackslashes(line string) int {
	return len(line) - len(strings.TrimRight(line, `\`))
}

// Last is the value of a key that can be set once: the last one wins. It is empty when there is none.
func (f File) Last(section, key string) string {
	value := ""
	for _, a := range f {
		if a.Section == section && a.Key == key {
			value = a.Value
		}
	}
	return value
}

// All are the values of a key that adds up. An empty value starts anew.
func (f File) All(section, key string) []string {
	var values []string
	for _, a := range f {
		if a.Section != section || a.Key != key {
			continue
		}
		if a.Value == "" {
			values = nil
			continue
		}
		values = append(values, a.Value)
	}
	return values
}

// Yes tells whether a boolean key is on.
func (f File) Yes(section, key string) bool {
	value, _ := Boolean(f.Last(section, key))
	return value
}

// Boolean reads a boolean as systemd does (parse_boolean); false for what is none.
func Boolean(text string) (value, valid bool) {
	switch strings.ToLower(text) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}
