// Package host finds what runs on this machine beside what is traced: processes, the users and containers that they belong
// to. What it means is left to others.
package host

import (
	"cmp"
	"slices"
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

// Scan looks through /proc for processes that nobody traces. Each is reported once, again when it has executed another
// program, and when it has gone.
type Scan struct {
	mount    string
	describe *Describer
	proc     procfs.Reader
	traced   func(pid int) bool
	known    map[int]identity
}

// identity tells two processes with one pid apart, and two programs in one process.
type identity struct {
	process uint64 // procfs.Reader.Identity
	program uint64 // inode of the executable
}

// NewScan prepares a scan of the proc file system at a mount point. traced leaves processes out.
func NewScan(mount string, names record.Names, traced func(int) bool) *Scan {
	return &Scan{
		mount: mount, describe: NewDescriber(mount, names), proc: procfs.Reader{Mount: mount}, traced: traced,
		known: map[int]identity{},
	}
}

// Run scans until done is closed, and hands over what it finds. wanted is asked before each round.
func (s *Scan) Run(every time.Duration, done <-chan struct{}, wanted func() bool, found chan<- *event.Event) {
	for wait := scanAfter; ; wait = every {
		select {
		case <-done:
			return
		case <-time.After(wait):
		}
		if !wanted() {
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
	for _, pid := range procfs.Numbers(s.mount) {
		now := identity{process: s.proc.Identity(pid), program: s.proc.ExecutableInode(pid)}
		if now.process == 0 {
			continue
		}
		if s.known[pid] == now {
			seen[pid] = true
			continue
		}
		if s.traced(pid) {
			continue
		}
		seen[pid] = true
		if e := s.describe.Describe(pid); e != nil {
			events = append(events, e)
		}
		s.known[pid] = now
	}
	slices.SortFunc(events, func(a, b *event.Event) int { return cmp.Compare(a.Time, b.Time) }) // parents first
	for pid := range s.known {
		if !seen[pid] {
			delete(s.known, pid)
			events = append(events, &event.Event{Kind: event.Exit, PID: uint32(pid), Time: uint64(time.Now().UnixNano())})
		}
	}
	return events
}
