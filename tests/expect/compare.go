package expect

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
)

// Compare tells, in one sentence each, what is missing, what differs and what nobody expected. Each process's events
// must come in the order of its lines; processes may mingle. Kinds outside of judged are left out on both sides.
func Compare(report Report, events []event.Event, judged event.Set) []string {
	lines := map[uint32][]Line{}
	found := map[uint32][]*event.Event{}
	for _, l := range report.Lines {
		if judged.Has(l.Kind) {
			lines[l.PID] = append(lines[l.PID], l)
		}
	}
	for i := range events {
		if e := &events[i]; judged.Has(e.Kind) {
			found[e.PID] = append(found[e.PID], e)
		}
	}
	var complaints []string
	for _, pid := range processes(lines, found) {
		complaints = append(complaints, process(lines[pid], found[pid])...)
	}
	return complaints
}

func processes(lines map[uint32][]Line, found map[uint32][]*event.Event) []uint32 {
	var pids []uint32
	for pid := range lines {
		pids = append(pids, pid)
	}
	for pid := range found {
		if _, both := lines[pid]; !both {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

func process(lines []Line, events []*event.Event) (complaints []string) {
	lines, events, complaints = takeCounted(lines, events)
	for len(lines) > 0 && len(events) > 0 {
		line := lines[0]
		if line.fits(events[0]) {
			lines, events = lines[1:], events[1:]
			continue
		}
		if later := slices.IndexFunc(events, line.fits); later > 0 && !anyFits(lines[1:], events[0]) {
			complaints = append(complaints, unexpected(events[:later])...)
			events = events[later:]
			continue
		}
		if events[0].Kind == line.sort(events[0]) && !anyFits(lines[1:], events[0]) {
			complaints = append(complaints, fmt.Sprintf("differs: %s\n      %s", line.Text, line.difference(events[0])))
			events = events[1:]
		} else {
			complaints = append(complaints, "missing: "+line.Text)
		}
		lines = lines[1:]
	}
	for _, l := range lines {
		complaints = append(complaints, "missing: "+l.Text)
	}
	return append(complaints, unexpected(events)...)
}

// takeCounted settles the lines that ask for a number of like events, and gives back what remains of both.
func takeCounted(lines []Line, events []*event.Event) ([]Line, []*event.Event, []string) {
	var rest []Line
	var complaints []string
	for _, l := range lines {
		if !l.Counted {
			rest = append(rest, l)
			continue
		}
		before := len(events)
		events = slices.DeleteFunc(slices.Clone(events), l.fits)
		if got := before - len(events); got != l.N {
			complaints = append(complaints, fmt.Sprintf("%d events instead of %d: %s", got, l.N, l.Text))
		}
	}
	return rest, events, complaints
}

func anyFits(lines []Line, e *event.Event) bool {
	return slices.ContainsFunc(lines, func(l Line) bool { return l.fits(e) })
}

func unexpected(events []*event.Event) []string {
	var complaints []string
	for _, e := range events {
		complaints = append(complaints, "unexpected: "+Describe(e))
	}
	return complaints
}

// sort is the kind that an event must have for the line: setuid and setfsuid go by the same name.
func (l Line) sort(e *event.Event) event.Kind {
	if e.Kind.String() == l.Kind.String() {
		return e.Kind
	}
	return l.Kind
}

func (l Line) fits(e *event.Event) bool {
	return e.Kind == l.sort(e) && e.PID == l.PID && l.difference(e) == ""
}

// difference names the attributes in which an event of the right kind is another than the one expected.
func (l Line) difference(e *event.Event) string {
	var differences, args []string
	for _, a := range l.Attributes {
		read := readerOf(l.Kind, a.Key)
		if read == nil {
			args = append(args, a.Value)
			continue
		}
		if got, said := read(e); said && got != a.Value && !(a.Value == "ok" && e.Retval >= 0) {
			differences = append(differences, fmt.Sprintf("%s is %q, not %q", a.Key, got, a.Value))
		}
	}
	if args != nil && !sameArguments(e, args) {
		differences = append(differences, fmt.Sprintf("arguments are %.300q, not %.300q", e.Exec.Args, args))
	}
	return strings.Join(differences, "; ")
}

// sameArguments compares as far as both go when the event says that its list was cut.
func sameArguments(e *event.Event, want []string) bool {
	got := e.Exec.Args
	if e.Exec.ArgsTruncated {
		n := min(len(got), len(want))
		got, want = got[:n], want[:n]
	}
	return slices.Equal(got, want)
}

// Describe writes an event as a program would have announced it.
func Describe(e *event.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s pid=%d", e.Kind, e.PID)
	for _, key := range keys(e.Kind) {
		if read := readerOf(e.Kind, key); read != nil {
			if value, said := read(e); said && value != "" && (value != "0" || key == "retval") {
				fmt.Fprintf(&b, " %s=%q", key, value)
			}
		}
	}
	for _, arg := range e.Exec.Args {
		fmt.Fprintf(&b, " arg=%.80q", arg)
	}
	return b.String()
}

func keys(k event.Kind) []string {
	var all []string
	for key := range anywhere {
		all = append(all, key)
	}
	for key := range particular[k] {
		if _, twice := anywhere[key]; !twice {
			all = append(all, key)
		}
	}
	sort.Strings(all)
	return all
}
