package probe

import (
	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
)

// watch looks after the host until the end function is called; that gives what was seen.
func (p *process) watch() (end func() host.Counts) {
	mount := procMount()
	proc := procfs.Reader{Mount: mount}
	nsid := proc.PIDNamespace()
	w := host.NewWatcher(mount, host.NewNames(), p.log, func(e *event.Event) { p.engine.Found(nsid, e) })
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(host.ScanEvery, done)
	}()
	return func() host.Counts {
		close(done)
		<-ended
		return w.Counts()
	}
}

// recall tells the engine what runs already. Of what is traced nobody would: its tracer has told a probe before this one.
func (p *process) recall() {
	for _, r := range host.Snapshot(procMount(), host.NewNames()) {
		p.engine.Recall(r.NSID, r.Traced, r.Exec)
	}
}
