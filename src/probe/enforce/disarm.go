package enforce

import "time"

// Limits bound what one rule kills: different containers, different executables, and processes, within a period each.
type Limits struct {
	Containers, Executables, Processes Limit
}

// Limit allows Max different ones within Period. Max 0: no limit.
type Limit struct {
	Max    int
	Period time.Duration
}

// Disarmer holds back the kills of one rule when they get too many: a rule that means more than its author thought must
// not stop the host. It arms again when enough of the period has passed.
type Disarmer struct {
	containers, executables, processes recent
}

// recent are the keys of the kills of one period.
type recent struct {
	limit Limit
	seen  map[string]time.Time
}

// NewDisarmer makes a disarmer for one rule.
func NewDisarmer(l Limits) *Disarmer {
	return &Disarmer{recent{limit: l.Containers}, recent{limit: l.Executables}, recent{limit: l.Processes}}
}

// Allow tells whether a kill may go on; if not, it names the limit: container, executable or process. container is empty
// outside one; executable and process identify those. limited says of which the rule wants to be limited.
func (d *Disarmer) Allow(container, executable, process string, limited Limited, now time.Time) (by string, ok bool) {
	switch {
	case limited.Containers && container != "" && !d.containers.allows(container, now):
		return "container", false
	case limited.Executables && executable != "" && !d.executables.allows(executable, now):
		return "executable", false
	case !d.processes.allows(process, now):
		return "process", false
	}
	d.containers.note(container, now)
	d.executables.note(executable, now)
	d.processes.note(process, now)
	return "", true
}

// Limited are the limits that a rule has not switched off.
type Limited struct{ Containers, Executables bool }

func (r *recent) allows(key string, now time.Time) bool {
	if r.limit.Max <= 0 {
		return true
	}
	for k, at := range r.seen {
		if now.Sub(at) > r.limit.Period {
			delete(r.seen, k)
		}
	}
	_, again := r.seen[key]
	return again || len(r.seen) < r.limit.Max
}

func (r *recent) note(key string, now time.Time) {
	if r.limit.Max <= 0 || key == "" {
		return
	}
	if r.seen == nil {
		r.seen = map[string]time.Time{}
	}
	r.seen[key] = now
}
