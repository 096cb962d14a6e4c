// Package record is what the tracing loop hands to the sender: bare facts read while a tracee was stopped, and their
// bytes; names of users, containers and the wire format are added later by others.
package record

import "github.com/ebpfless/ebpfless/src/event"

// PathMax bounds a path in bytes, as PATH_MAX of limits.h does.
const PathMax = 4096

// TextMax bounds the other strings of a call: module names, file system types, thread names.
const TextMax = 256

// Path is a path that needs no allocation.
type Path struct {
	Len   uint16
	Bytes [PathMax]byte
}

// Set copies as much of s as fits.
func (p *Path) Set(s []byte) { p.Len = uint16(copy(p.Bytes[:], s)) }

// Get gives the bytes in place.
func (p *Path) Get() []byte { return p.Bytes[:p.Len] }

// Text is a short string that needs no allocation.
type Text struct {
	Len   uint16
	Bytes [TextMax]byte
}

// Set copies as much of s as fits.
func (t *Text) Set(s []byte) { t.Len = uint16(copy(t.Bytes[:], s)) }

// Get gives the bytes in place.
func (t *Text) Get() []byte { return t.Bytes[:t.Len] }

// File is a file as it was found. Known tells whether there was anything to stat(2).
type File struct {
	Path         Path
	Known        bool
	Mode         uint32
	UID, GID     uint32
	Inode        uint64
	CTime, MTime uint64 // nanoseconds since the epoch
}

// Reset empties the file without touching the bytes of its path.
func (f *File) Reset() {
	f.Path.Len, f.Known, f.Mode, f.UID, f.GID = 0, false, 0, 0, 0
	f.Inode, f.CTime, f.MTime = 0, 0, 0
}

// Facts are what is known of one call. Its size is fixed and it holds no pointers, so that it can lie in shared memory
// while the call runs. What Num and Text mean depends on Kind and is written down in event.go.
type Facts struct {
	Kind        event.Kind
	PID         uint32
	Time        uint64 // nanoseconds since the epoch
	Retval      int64
	Num         [6]uint64
	File        File
	Destination File
	Text        [2]Text
}

// Reset makes the facts those of a new call.
func (f *Facts) Reset(kind event.Kind, pid uint32) {
	f.Kind, f.PID, f.Time, f.Retval = kind, pid, 0, 0
	f.Num = [6]uint64{}
	f.File.Reset()
	f.Destination.Reset()
	f.Text[0].Len, f.Text[1].Len = 0, 0
}

// Program is what an exec adds to Facts: NUL-separated lists as /proc/PID has them.
type Program struct {
	Args, Envs                   []byte
	ArgsTruncated, EnvsTruncated bool
}
