package tracer

import (
	"encoding/binary"
	"time"

	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
)

var order = binary.NativeEndian

// Special values of tv_nsec, from utimensat(2).
const (
	utimeNow  = 1<<30 - 1
	utimeOmit = 1<<30 - 2
)

func (w *watch) changingTimes(m *moment, f *record.Facts) {
	w.object(m, m.row.Follows(m.row.FlagsOf(m.args)), &f.File)
	f.Num[record.NumATime], f.Num[record.NumMTime] = w.times(m)
}

// times reads the two moments of the utime family; a null pointer means now.
func (w *watch) times(m *moment) (access, modification uint64) {
	now := uint64(time.Now().UnixNano())
	at := m.arg(syscalls.Times)
	if at == 0 {
		return now, now
	}
	size := m.abi().LongSize()
	if m.row.Wide {
		size = 8
	}
	var v [4]uint64
	if m.row.Clock == syscalls.Seconds {
		w.words(m, at, v[:2], size)
		return v[0] * 1e9, v[1] * 1e9
	}
	w.words(m, at, v[:], size)
	if m.row.Clock == syscalls.Microseconds {
		return v[0]*1e9 + v[1]*1e3, v[2]*1e9 + v[3]*1e3
	}
	return moments(v[0], v[1], now), moments(v[2], v[3], now)
}

func moments(seconds, nanoseconds, now uint64) uint64 {
	switch nanoseconds {
	case utimeNow:
		return now
	case utimeOmit:
		return 0
	}
	return seconds*1e9 + nanoseconds
}
