package guard

import (
	"cmp"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
)

// places says where the processes live that events are about. What is wrapped lives where its tracer does; what was attached
// to lives where its service manager or its container engine has put it.
type places struct {
	own   host.Place
	proc  string // mount point of the proc file system to read, empty for wrapped processes
	known map[uint32]host.Place
}

func newPlaces(own host.Place, attached bool) *places {
	p := &places{own: own, known: map[uint32]host.Place{}}
	if attached {
		p.proc = "/proc"
	}
	return p
}

// of gives the place of the process of an event. One that has ended before it was asked for lived where its parent does.
func (p *places) of(e *event.Event) host.Place {
	if p.proc == "" {
		return p.own
	}
	place, ok := p.known[e.PID]
	if !ok {
		place = host.PlaceOf(p.proc, int(e.PID))
		if place == (host.Place{}) {
			place = p.known[e.PPID]
		}
		place.ContainerID = cmp.Or(place.ContainerID, p.own.ContainerID)
		place.CGroupID = cmp.Or(place.CGroupID, p.own.CGroupID)
		p.known[e.PID] = place
	}
	if e.Kind == event.Exit {
		delete(p.known, e.PID)
	}
	return place
}
