package shared

import "github.com/ebpfless/ebpfless/src/record"

// NewCall gives the task room for the facts of a call that is under way; nil when there is none left.
func (m *Memory) NewCall(t *Task) *record.Facts {
	m.FreeCall(t)
	for i := range m.Calls {
		// A slot is free when its facts belong to no process; low slots are reused first and stay in the cache.
		if m.Calls[i].PID == 0 {
			m.Calls[i].PID = uint32(t.TGID)
			t.Call = int32(i) + 1
			return &m.Calls[i]
		}
	}
	return nil
}

// CallOf gives the facts that NewCall made, nil without any.
func (m *Memory) CallOf(t *Task) *record.Facts {
	if t.Call <= 0 || t.Call > CallSlots {
		return nil
	}
	return &m.Calls[t.Call-1]
}

// FreeCall gives the room back.
func (m *Memory) FreeCall(t *Task) {
	if facts := m.CallOf(t); facts != nil {
		facts.PID = 0
	}
	t.Call = 0
}
