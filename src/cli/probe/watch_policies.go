package probe

import (
	"time"

	"github.com/ebpfless/ebpfless/src/secl"
)

// watchEvery is how often a folder of policies is looked at: asking works on every file system, and Kubernetes replaces a
// folder by moving a link.
const watchEvery = time.Second

// watchPolicies tells of each change of a folder's policies since it had a fingerprint, once they have stopped changing: a
// file may be half written.
func watchPolicies(dir, inForce string, every time.Duration, changed chan<- struct{}, done <-chan struct{}) {
	last := inForce
	for {
		select {
		case <-done:
			return
		case <-time.After(every):
		}
		now := secl.Fingerprint(dir)
		settled := now == last
		if last = now; !settled || now == inForce {
			continue
		}
		inForce = now
		select {
		case changed <- struct{}{}:
		case <-done:
			return
		}
	}
}
