package unit

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Header is the comment of an init script that says when it is to run (LSB), with the line that chkconfig(8) reads.
type Header struct {
	fields    map[string]string
	Chkconfig string // "2345 85 15", empty without
}

// order is that of the fields when they are written.
var order = []string{
	"Provides", "Required-Start", "Required-Stop", "Should-Start", "Should-Stop", "X-Start-Before", "X-Stop-After",
	"Default-Start", "Default-Stop", "X-Interactive", "Short-Description", "Description",
}

var (
	headerField = regexp.MustCompile(`^#\s*([A-Za-z-]+):\s*(.*?)\s*$`)
	headerMore  = regexp.MustCompile(`^#(?:\t|  )\s*(.*?)\s*$`)
)

// ParseHeader reads the header of a script; it is empty when there is none.
func ParseHeader(script string) Header {
	h := Header{fields: map[string]string{}}
	inside, last := false, ""
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, " \t\r\n")
		switch {
		case line == "### BEGIN INIT INFO":
			inside = true
		case line == "### END INIT INFO":
			inside = false
		case strings.HasPrefix(line, "# chkconfig:"):
			h.Chkconfig = strings.TrimSpace(strings.TrimPrefix(line, "# chkconfig:"))
		case inside:
			if match := headerField.FindStringSubmatch(line); match != nil {
				last = match[1]
				h.fields[last] = match[2]
			} else if match := headerMore.FindStringSubmatch(line); match != nil && last == "Description" {
				h.fields[last] += " " + match[1]
			}
		}
	}
	return h
}

// Get gives the value of a field.
func (h Header) Get(field string) string { return h.fields[field] }

// Words are the words of a field's value.
func (h Header) Words(field string) []string { return strings.Fields(h.fields[field]) }

// Set gives a field a value; the empty one takes it away.
func (h *Header) Set(field string, words ...string) {
	if h.fields == nil {
		h.fields = map[string]string{}
	}
	h.fields[field] = strings.Join(words, " ")
}

// Copy gives a header that can be changed on its own.
func (h Header) Copy() Header {
	other := Header{fields: map[string]string{}, Chkconfig: h.Chkconfig}
	for field, value := range h.fields {
		other.fields[field] = value
	}
	return other
}

// String writes the header as it stands in a script, without an end of line at the end. Fields must not be missing that
// insserv(8) wants, even if they are empty.
func (h Header) String() string {
	var b strings.Builder
	if h.Chkconfig != "" {
		fmt.Fprintf(&b, "# chkconfig: %s\n# description: %s\n", h.Chkconfig, h.fields["Short-Description"])
	}
	b.WriteString("### BEGIN INIT INFO\n")
	for _, field := range order {
		value := h.fields[field]
		if value == "" && !slices.Contains([]string{"Required-Start", "Required-Stop", "Default-Start", "Default-Stop"}, field) {
			continue
		}
		fmt.Fprintf(&b, "# %s\n", strings.TrimRight(fmt.Sprintf("%-18s %s", field+":", value), " "))
	}
	b.WriteString("### END INIT INFO")
	return b.String()
}
