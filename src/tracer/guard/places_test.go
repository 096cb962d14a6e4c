package guard

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
)

func TestPlaces(t *testing.T) {
	const container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	own := host.Place{CGroupID: "/system.slice/cws-attach.service"}
	proc := t.TempDir()
	live := func(pid int, group string) {
		dir := filepath.Join(proc, strconv.Itoa(pid))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup"), []byte("0::"+group+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	live(10, "/system.slice/app.service")
	live(11, "/docker/"+container)
	live(12, "/")
	p := newPlaces(own, true)
	p.proc = proc
	is := func(kind event.Kind, pid, ppid uint32, want host.Place) {
		t.Helper()
		if got := p.of(&event.Event{Kind: kind, PID: pid, PPID: ppid}); got != want {
			t.Errorf("%v of pid %d: %v, want %v", kind, pid, got, want)
		}
	}
	is(event.Exec, 10, 1, host.Place{CGroupID: "/system.slice/app.service"})
	is(event.Exec, 11, 1, host.Place{ContainerID: container, CGroupID: "/docker/" + container})
	is(event.Exec, 12, 1, own)
	is(event.Fork, 13, 10, host.Place{CGroupID: "/system.slice/app.service"}) // it has ended
	is(event.Exit, 13, 10, host.Place{CGroupID: "/system.slice/app.service"})
	is(event.Exec, 14, 99, own)
	if len(p.known) != 4 {
		t.Errorf("%d places are kept, one of them of a process that has ended", len(p.known))
	}
	wrapped := newPlaces(own, false)
	if got := wrapped.of(&event.Event{PID: 10}); got != own {
		t.Errorf("a wrapped process lives in %v, want that of its tracer, %v", got, own)
	}
}
