package guard

import (
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/record"
)

// Times of the scan, those of the original.
const (
	ScanEvery = 500 * time.Millisecond
	scanAfter = 2 * time.Second
)

// Scan looks through /proc for processes that nobody traces, for a probe that does not look by itself: the original's.
// Each is reported once, and again when it has gone.
type Scan struct {
	every   time.Duration
	traced  func(pid int) bool
	wanted  func() bool
	names   record.Names
	proc    procfs.Reader
	program procfs.ProgramReader
	known   map[int]uint64 // start time of each process reported, in nanoseconds since the epoch
}

// NewScan prepares a scan. traced leaves processes out; wanted is asked before each round.
func NewScan(every time.Duration, names record.Names, traced func(int) bool, wanted func() bool) *Scan {
	return &Scan{every: every, names: names, traced: traced, wanted: wanted, known: map[int]uint64{}}
}

// Run scans until done is closed, and hands over what it finds.
func (s *Scan) Run(done <-chan struct{}, found chan<- *event.Event) {
	for wait := scanAfter; ; wait = s.every {
		select {
		case <-done:
			return
		case <-time.After(wait):
		}
		if !s.wanted() {
			continue
		}
		for _, e := range s.Round() {
			select {
			case found <- e:
			case <-done:
				return
			}
		}
	}
}

// Round compares /proc with the round before.
func (s *Scan) Round() []*event.Event {
	var events []*event.Event
	seen := map[int]bool{}
	for _, pid := range numbers("/proc") {
		started := s.proc.Started(pid)
		if started == 0 || s.traced(pid) {
			continue
		}
		seen[pid] = true
		if s.known[pid] == started {
			continue
		}
		if e := s.describe(pid, started); e != nil {
			events = append(events, e)
		}
		s.known[pid] = started
	}
	for pid := range s.known {
		if !seen[pid] {
			delete(s.known, pid)
			events = append(events, &event.Event{Kind: event.Exit, PID: uint32(pid), Time: uint64(time.Now().UnixNano())})
		}
	}
	return events
}

// describe gives nil for a kernel thread, which has no executable.
func (s *Scan) describe(pid int, started uint64) *event.Event {
	facts := new(record.Facts)
	facts.Reset(event.Exec, uint32(pid))
	if s.proc.Running(pid, false, facts) != 0 {
		return nil
	}
	facts.Time = started
	facts.Num[record.NumExecFlags] |= record.ExecFromProcFS
	var program record.Program
	s.program.Read(&s.proc, pid, &program)
	return record.Event(facts, &program, s.names)
}
