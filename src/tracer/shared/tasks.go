package shared

// The table is a hash table with linear probing. Thread ids are handed out in sequence, so their low bits are the hash.

func slot(tid int32) uint32 { return uint32(tid) & (TaskSlots - 1) }

// Find gives the task with a thread id, nil when it is not there.
func (m *Memory) Find(tid int) *Task {
	for i := slot(int32(tid)); m.Tasks[i].TID != 0; i = slot(int32(i) + 1) {
		if m.Tasks[i].TID == int32(tid) {
			return &m.Tasks[i]
		}
	}
	return nil
}

// Add gives a new task for a thread id, or the one that is there. It is nil when the table is full, which is counted.
func (m *Memory) Add(tid, tgid int) *Task {
	i := slot(int32(tid))
	for ; m.Tasks[i].TID != 0; i = slot(int32(i) + 1) {
		if m.Tasks[i].TID == int32(tid) {
			return &m.Tasks[i]
		}
	}
	if m.Control.Tasks >= TaskSlots*7/8 {
		m.Control.Lost++
		return nil
	}
	m.Tasks[i] = Task{TID: int32(tid), TGID: int32(tgid)}
	m.Control.Tasks++
	m.rota.add(int32(tid))
	if leader := m.Find(tgid); leader != nil && tid != tgid {
		leader.Leads = true
	}
	return &m.Tasks[i]
}

// Remove forgets a task. Pointers to other tasks are not valid any more.
func (m *Memory) Remove(tid int) {
	t := m.Find(tid)
	if t == nil {
		return
	}
	m.FreeCall(t)
	m.Control.Tasks--
	// Close the gap, so that Find never meets a free slot before the task that it looks for.
	hole := slot(t.TID)
	for m.Tasks[hole].TID != t.TID {
		hole = slot(int32(hole) + 1)
	}
	for i := slot(int32(hole) + 1); m.Tasks[i].TID != 0; i = slot(int32(i) + 1) {
		home := slot(m.Tasks[i].TID)
		if slot(int32(i-home)) >= slot(int32(i-hole)) {
			m.Tasks[hole] = m.Tasks[i]
			hole = i
		}
	}
	m.Tasks[hole] = Task{}
}

// Each calls f for every task. f may change the task but not add or remove any.
func (m *Memory) Each(f func(*Task)) {
	for i := range m.Tasks {
		if m.Tasks[i].TID != 0 {
			f(&m.Tasks[i])
		}
	}
}
