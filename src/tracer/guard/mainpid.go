package guard

import (
	"fmt"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
)

// mainEvery is how often the end of the launched process is looked for.
const mainEvery = 10 * time.Millisecond

// announceMain tells systemd which process is the main one, when the launched process has gone into the background and ended:
// the only one left whose parent is the launcher's. Without PIDFile= systemd finds it by that itself (unit_search_main_pid in
// its service.c), unless a tracer lives beside it, whose parent is systemd, too.
func (g *Guard) announceMain(done <-chan struct{}) {
	tick := time.NewTicker(mainEvery)
	defer tick.Stop()
	for g.Memory.Find(g.Config.Launcher) != nil {
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
	var reader procfs.Reader
	var candidates []int
	g.Memory.Each(func(t *shared.Task) {
		var status procfs.Status
		pid := int(t.TGID)
		if !slices.Contains(candidates, pid) && reader.Status(pid, &status) == 0 && status.PPID == g.Config.Parent {
			candidates = append(candidates, pid)
		}
	})
	if len(candidates) != 1 {
		g.Log.Infof("the main process is unknown: %d processes could be it", len(candidates))
		return
	}
	if _, err := daemon.SdNotify(false, fmt.Sprintf("MAINPID=%d", candidates[0])); err != nil {
		g.Log.Warnf("tell systemd the main process: %v", err)
	}
}
