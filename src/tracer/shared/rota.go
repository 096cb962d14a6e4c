package shared

// rota is in which order tasks are asked. It is each process's own.
type rota struct {
	tids      []int32 // of those that were removed some are left
	next      int
	strangers bool // the table holds tasks that others have added
}

// drops bounds the work of one call.
const drops = 8

// Next gives the thread id of one task after the other, 0 where none is at hand. It allocates only the first time.
func (m *Memory) Next() int {
	r := &m.rota
	if r.strangers { // a look through the table touches all its pages and takes milliseconds
		r.strangers, r.tids = false, make([]int32, 0, TaskSlots)
		m.Each(func(t *Task) { r.tids = append(r.tids, t.TID) })
	}
	for range min(drops, len(r.tids)) {
		if r.next >= len(r.tids) {
			r.next = 0
		}
		tid := r.tids[r.next]
		if m.Find(int(tid)) != nil {
			r.next++
			return int(tid)
		}
		last := len(r.tids) - 1
		r.tids[r.next] = r.tids[last]
		r.tids = r.tids[:last]
	}
	return 0
}

// add puts a new task at the end. Where ids that were removed fill the rota it goes without a turn.
func (r *rota) add(tid int32) {
	if r.tids == nil {
		r.tids = make([]int32, 0, TaskSlots)
	}
	if len(r.tids) < cap(r.tids) {
		r.tids = append(r.tids, tid)
	}
}
