package probe

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"golang.org/x/sys/unix"
)

// TellOutgrown logs each connected tracer that doesn't report everything which the rules in force ask for. A tracer builds
// its filter of what it is told when it starts, and a filter that is in force can't be widened.
func (s *Server) TellOutgrown() {
	now := s.engine.Interest()
	s.lock.Lock()
	defer s.lock.Unlock()
	for c := range s.clients {
		if lacks := missingOf(c.interest, &now); lacks != "" {
			s.log.Warnf("%s was started with a filter that leaves out %s: restart what it traces, for the new rules to see it",
				describe(c.conn.RemoteAddr().String(), &c.hello), lacks)
		}
	}
}

// describe names a tracer for people.
func describe(peer string, h *event.Hello) string {
	return fmt.Sprintf("tracer at %s: %s %q in pid namespace %d", peer, h.Mode, h.Args, h.NSID)
}

// interestOf is what a tracer is told, or was told before it lost its connection: its filter is of then.
func (s *Server) interestOf(id stream) event.Interest {
	now := s.engine.Interest()
	s.lock.Lock()
	defer s.lock.Unlock()
	if told, known := s.told[id]; known {
		return told
	}
	if len(s.told) >= maxStreams {
		clear(s.told)
	}
	s.told[id] = now
	return now
}

// missingOf names what of an interest a tracer leaves out that was told another one; nil when it was told nothing, and so
// leaves out nothing.
func missingOf(told, now *event.Interest) string {
	if told == nil {
		return ""
	}
	var lacks []string
	for _, kind := range event.Kinds() {
		if now.Kinds.Has(kind) && !told.Kinds.Has(kind) {
			lacks = append(lacks, kind.String())
		}
	}
	lacks = slices.Compact(lacks) // setuid and setfsuid are one to rules
	both := func(kind event.Kind) bool { return now.Kinds.Has(kind) && told.Kinds.Has(kind) }
	switch {
	case !both(event.Open) || told.OpenFlags == 0:
	case now.OpenFlags == 0:
		lacks = append(lacks, "open without any of "+strings.Join(namesOf(openFlags, uint64(told.OpenFlags)), "|"))
	case now.OpenFlags&^told.OpenFlags != 0:
		lacks = append(lacks, "open with "+strings.Join(namesOf(openFlags, uint64(now.OpenFlags&^told.OpenFlags)), "|"))
	}
	if both(event.Open) && missesSpared(told, now) {
		lacks = append(lacks, "open with "+strings.Join(namesOf(openFlags, uint64(told.SparedOpens)), "|"))
	}
	switch {
	case !both(event.Signal) || told.Signals == 0:
	case now.Signals == 0:
		lacks = append(lacks, "signals other than "+signalNames(told.Signals))
	case now.Signals&^told.Signals != 0:
		lacks = append(lacks, signalNames(now.Signals&^told.Signals))
	}
	return strings.Join(lacks, ", ")
}

// signalNames are those of signal(7), or numbers for signals that have no name.
func signalNames(mask uint64) string {
	var names []string
	for n := range 64 {
		switch name := unix.SignalName(unix.Signal(n)); {
		case mask>>n&1 == 0:
		case name != "":
			names = append(names, name)
		default:
			names = append(names, strconv.Itoa(n))
		}
	}
	return strings.Join(names, "|")
}

// missesSpared tells whether what was spared a tracer is asked for now. It leaves out opens with any of its spared flags
// and none of those that make an exception.
func missesSpared(told, now *event.Interest) bool {
	switch {
	case told.SparedOpens == 0:
		return false
	case now.OpenFlags != 0:
		return now.OpenFlags&^told.UnlessOpens != 0
	}
	return told.SparedOpens&^now.SparedOpens != 0 || now.UnlessOpens&^told.UnlessOpens != 0
}
