// Package ring is a queue of byte records in shared memory, from one writing process to one reading process; what the
// records mean and where the memory comes from is left to others.
package ring

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"unsafe"
)

// HeaderSize is the number of bytes that a ring needs before its data.
const HeaderSize = 4096

// header lies at the beginning of the shared memory. Writer and reader each own a cache line.
type header struct {
	head    uint64 // bytes ever written; only the writer stores
	seq     uint64 // records ever written
	dropped uint64 // records that found no room
	_       [5]uint64
	tail    uint64 // bytes ever released; only the reader stores
	waiting uint32 // 1 while the reader sleeps and wants to be woken
	_       [13]uint32
}

// Ring is one side's view. It must not be used by several goroutines at once.
type Ring struct {
	h    *header
	data []byte
	mask uint64
}

// skip stands where a record's length would, when the record did not fit before the end of the data.
const skip = ^uint32(0)

// prefix is a record's own header: length (4 bytes), 4 bytes unused, sequence number (8 bytes).
const prefix = 16

// Open takes shared memory of HeaderSize plus a power of two bytes, page-aligned and zero when new. The memory stays the
// caller's and must outlive the ring.
func Open(memory []byte) (*Ring, error) {
	size := len(memory) - HeaderSize
	if size < 4096 || size&(size-1) != 0 {
		return nil, errors.New("open ring: data size is not a power of two of at least 4096 bytes")
	}
	return &Ring{h: (*header)(unsafe.Pointer(&memory[0])), data: memory[HeaderSize:], mask: uint64(size - 1)}, nil
}

// MaxRecord is the length in bytes of the largest record that fits.
func (r *Ring) MaxRecord() int { return len(r.data)/4 - prefix }

// Write appends one record and reports whether there was room. Without room the record is dropped and counted. The last
// eighth is for urgent records: what fills the ring must not hide what is rare and needed to understand the rest.
func (r *Ring) Write(record []byte, urgent bool) bool {
	need := uint64(prefix+len(record)+7) &^ 7
	head := r.h.head
	at := head & r.mask
	gap := uint64(0)
	if left := uint64(len(r.data)) - at; left < need {
		gap = left
	}
	free := uint64(len(r.data)) - (head - atomic.LoadUint64(&r.h.tail))
	if !urgent {
		free = max(free, r.reserve()) - r.reserve()
	}
	if len(record) > r.MaxRecord() || gap+need > free {
		atomic.AddUint64(&r.h.dropped, 1)
		return false
	}
	if gap > 0 {
		binary.NativeEndian.PutUint32(r.data[at:], skip)
		at = 0
	}
	binary.NativeEndian.PutUint32(r.data[at:], uint32(len(record)))
	binary.NativeEndian.PutUint64(r.data[at+8:], r.h.seq+1)
	copy(r.data[at+prefix:], record)
	atomic.StoreUint64(&r.h.seq, r.h.seq+1)
	atomic.StoreUint64(&r.h.head, head+gap+need)
	return true
}

func (r *Ring) reserve() uint64 { return uint64(len(r.data)) / 8 }

// Drop counts a record that its maker could not even build.
func (r *Ring) Drop() { atomic.AddUint64(&r.h.dropped, 1) }

// Dropped is the number of records lost since the ring was made.
func (r *Ring) Dropped() uint64 { return atomic.LoadUint64(&r.h.dropped) }

// Written is the number of records ever written, as another process than the writer may see it.
func (r *Ring) Written() uint64 { return atomic.LoadUint64(&r.h.seq) }

// Cursor is a position in the ring, as the reader keeps it.
type Cursor uint64

// Start is the position of the oldest record that has not been released.
func (r *Ring) Start() Cursor { return Cursor(atomic.LoadUint64(&r.h.tail)) }

// Record is one record as it lies in the ring: valid until it is released.
type Record struct {
	Seq  uint64
	Data []byte
	Next Cursor // where the next record begins
}

// ErrCorrupt says that the memory does not hold what a writer of this package leaves there.
var ErrCorrupt = errors.New("ring is corrupt")

// Read gives the record at a position without releasing it; ok is false when the writer has not got there yet.
func (r *Ring) Read(at Cursor) (rec Record, ok bool, err error) {
	head := atomic.LoadUint64(&r.h.head)
	pos := uint64(at)
	if pos == head {
		return Record{}, false, nil
	}
	if head-pos > uint64(len(r.data)) || pos&7 != 0 {
		return Record{}, false, ErrCorrupt
	}
	i := pos & r.mask
	if binary.NativeEndian.Uint32(r.data[i:]) == skip {
		pos += uint64(len(r.data)) - i
		i = 0
	}
	if head-pos < prefix {
		return Record{}, false, ErrCorrupt
	}
	n := uint64(binary.NativeEndian.Uint32(r.data[i:]))
	end := i + prefix + n
	if end > uint64(len(r.data)) || (prefix+n+7)&^7 > head-pos {
		return Record{}, false, ErrCorrupt
	}
	return Record{
		Seq:  binary.NativeEndian.Uint64(r.data[i+8:]),
		Data: r.data[i+prefix : end],
		Next: Cursor(pos + (prefix+n+7)&^7),
	}, true, nil
}

// Release gives the room before a position back to the writer.
func (r *Ring) Release(upTo Cursor) { atomic.StoreUint64(&r.h.tail, uint64(upTo)) }

// Discard releases everything written so far and counts it as dropped: the way out of a corrupt ring.
func (r *Ring) Discard() {
	atomic.StoreUint64(&r.h.tail, atomic.LoadUint64(&r.h.head))
	r.Drop()
}

// Waiting is the word that the reader sets to 1 before it sleeps; the writer wakes it by futex(2) on that word.
func (r *Ring) Waiting() *uint32 { return &r.h.waiting }
