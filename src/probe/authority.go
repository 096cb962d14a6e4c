package probe

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
)

// Limits of one user who is not root.
const (
	maxPerUser  = maxConnections / 4
	eventBurst  = 50_000
	eventRate   = 20_000 // a second; more is read later, which only its sender feels
	refusalRest = time.Second
)

// authority is for whose processes a connection may speak: root's and the probe's own user's for all, another user's for
// his. Ends in other network namespaces have no owner here and speak for whom they say.
type authority struct {
	uid       uint32
	bound     bool // to this user's processes
	foreign   bool // the user's processes in a pid namespace that isn't the probe's
	place     host.Place
	processes *host.Processes
	pace      bucket
	refused   uint64
}

// errNoMember refuses a hello in the name of somebody else's container.
var errNoMember = errors.New("has no process in the pid namespace that it speaks for")

// authorities looks owners up. One at a time: a crowd of users who come and go may not cost more than one processor.
type authorities struct {
	lock  sync.Mutex
	mount string
}

func (a *authorities) of(conn net.Conn) (*authority, error) {
	peer, here := conn.RemoteAddr().(*net.TCPAddr).AddrPort(), conn.LocalAddr().(*net.TCPAddr).AddrPort()
	a.lock.Lock()
	defer a.lock.Unlock()
	uid, known, err := host.SocketOwner(peer, here)
	if err != nil {
		return nil, err
	}
	return &authority{
		uid: uid, bound: known && uid != 0 && uid != uint32(os.Geteuid()), processes: host.NewProcesses(a.mount),
		pace: bucket{tokens: eventBurst, last: time.Now()},
	}, nil
}

// greet checks the namespace that a hello names, and the container with it.
func (a *authorities) greet(who *authority, h *event.Hello) error {
	if !who.bound {
		return nil
	}
	h.Container.ID = ""
	if h.NSID == who.processes.Namespace() {
		return nil
	}
	a.lock.Lock()
	defer a.lock.Unlock()
	member := who.processes.Member(h.NSID, who.uid)
	if member == 0 {
		return fmt.Errorf("user %d %w (%d)", who.uid, errNoMember, h.NSID)
	}
	who.foreign, who.place = true, who.processes.Place(member)
	h.Container.ID = who.place.ContainerID
	return nil
}

// allows tells whether an event is of a process for which the connection may speak. Where a process lives is then read and
// not believed. One that has ended is nobody's: nothing can be done to it.
func (a *authority) allows(e *event.Event) bool {
	if !a.bound {
		return true
	}
	for !a.pace.take(eventBurst, eventRate, time.Now()) {
		time.Sleep(10 * time.Millisecond)
	}
	place := a.place
	if !a.foreign {
		own, alive := a.processes.Belongs(int(e.PID), a.uid)
		if alive && !own {
			a.refused++
			return false
		}
		if alive && e.Kind == event.Exec {
			place = a.processes.Place(int(e.PID))
		}
	}
	e.ContainerID, e.CGroupID = place.ContainerID, place.CGroupID
	return true
}
