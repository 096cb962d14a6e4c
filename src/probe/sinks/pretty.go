package sinks

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/probe"
)

// Pretty writes detections for people, in colour if the output shows any.
type Pretty struct {
	Out    io.Writer
	Colour bool
}

// Colours of terminals (ECMA-48).
const (
	red   = "31;1"
	cyan  = "36"
	faint = "2"
)

func (p Pretty) paint(code, text string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Write implements Writer. Notices are left out: the probe's log says the same.
func (p Pretty) Write(d *probe.Detection) error {
	if d.IsNotice() {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", p.paint(red, d.Agent.RuleID), printable(d.Title))
	p.line(&b, "attack", techniques(d))
	p.line(&b, d.Evt.Name, object(d))
	p.line(&b, "process", process(d))
	p.line(&b, "ancestors", ancestors(d))
	_, err := io.WriteString(p.Out, b.String())
	return err
}

func (p Pretty) line(b *strings.Builder, name, text string) {
	if text != "" {
		fmt.Fprintf(b, "  %s %s\n", p.paint(faint, fmt.Sprintf("%-10s", name)), p.paint(cyan, printable(text)))
	}
}

// techniques are the tags that name MITRE ATT&CK.
func techniques(d *probe.Detection) string {
	var list []string
	for _, rule := range d.Evt.MatchedRules {
		for _, tag := range rule.Tags {
			if name, value, _ := strings.Cut(tag, ":"); name == "tactic" || name == "technique" {
				list = append(list, value)
			}
		}
	}
	return strings.Join(list, " ")
}

func object(d *probe.Detection) string {
	switch {
	case d.Connect != nil:
		return fmt.Sprintf("%s port %d", d.Connect.Addr.IP, d.Connect.Addr.Port)
	case d.Module != nil && d.File == nil:
		return d.Module.Name + " from memory"
	case d.Ptrace != nil:
		return fmt.Sprintf("%s of pid %d", d.Ptrace.Request, d.Ptrace.Tracee.PID)
	case d.File == nil:
		return ""
	}
	text := d.File.Path
	if text == "" {
		text = d.File.Name
	}
	if to := d.File.Destination; to != nil && to.Path != "" {
		text += " to " + to.Path
	} else if to != nil && to.Mode != 0 {
		text += fmt.Sprintf(" mode %04o", to.Mode&0o7777)
	}
	if len(d.File.Flags) > 0 {
		text += " " + strings.Join(d.File.Flags, "|")
	}
	if d.Evt.Outcome != "Success" {
		text += " (" + strings.ToLower(d.Evt.Outcome) + ")"
	}
	return text
}

func process(d *probe.Detection) string {
	p := d.Process
	who := p.User
	if who == "" {
		who = fmt.Sprint(p.UID)
	}
	return fmt.Sprintf("%s (pid %d, user %s)", cut(strings.Join(append([]string{p.Argv0}, p.Args...), " ")), p.PID, who)
}

// cut keeps a command line to about one line of a terminal.
func cut(text string) string {
	const most = 90
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// ancestors show each program once, however many processes it forked.
func ancestors(d *probe.Detection) string {
	var list []string
	for _, a := range d.Process.Ancestors {
		name := a.Comm
		if name == "" {
			name = fmt.Sprintf("pid %d", a.PID)
		}
		if n := len(list); n == 0 || list[n-1] != name {
			list = append(list, name)
		}
	}
	slices.Reverse(list)
	return strings.Join(list, " > ")
}

// printable keeps what attackers put into names from acting on the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}
