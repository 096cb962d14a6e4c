package record

import (
	"encoding/binary"
	"errors"

	"github.com/ebpfless/ebpfless/src/event"
)

// Layout, in native byte order because both ends are on one machine: kind, flags, PID, time, result, six numbers; then
// what the flags announce, in the order of the flags.
const (
	hasFile = 1 << iota
	hasDestination
	hasText0
	hasText1
	hasProgram
)

const (
	fixed    = 8 + 8 + 8 + 6*8
	fileSize = 1 + 3*4 + 3*8 + 2
)

var order = binary.NativeEndian

// Append adds the bytes of f, and of p for an exec, to dst. It allocates only when dst is too small.
func Append(dst []byte, f *Facts, p *Program) []byte {
	dst = append(dst, byte(f.Kind), f.flags(p), 0, 0)
	dst = order.AppendUint32(dst, f.PID)
	dst = order.AppendUint64(dst, f.Time)
	dst = order.AppendUint64(dst, uint64(f.Retval))
	for _, n := range f.Num {
		dst = order.AppendUint64(dst, n)
	}
	if f.File.present() {
		dst = appendFile(dst, &f.File)
	}
	if f.Destination.present() {
		dst = appendFile(dst, &f.Destination)
	}
	for i := range f.Text {
		if f.Text[i].Len > 0 {
			dst = appendBytes(dst, f.Text[i].Get())
		}
	}
	if p != nil {
		dst = append(dst, bit(p.ArgsTruncated), bit(p.EnvsTruncated))
		dst = appendLong(appendLong(dst, p.Args), p.Envs)
	}
	return dst
}

func (f *Facts) flags(p *Program) byte {
	var flags byte
	for i, on := range [...]bool{f.File.present(), f.Destination.present(), f.Text[0].Len > 0, f.Text[1].Len > 0, p != nil} {
		if on {
			flags |= 1 << i
		}
	}
	return flags
}

func (f *File) present() bool { return f.Known || f.Path.Len > 0 }

func appendFile(dst []byte, f *File) []byte {
	dst = append(dst, bit(f.Known))
	for _, n := range [...]uint32{f.Mode, f.UID, f.GID} {
		dst = order.AppendUint32(dst, n)
	}
	for _, n := range [...]uint64{f.Inode, f.CTime, f.MTime} {
		dst = order.AppendUint64(dst, n)
	}
	return appendBytes(dst, f.Path.Get())
}

func appendBytes(dst, b []byte) []byte {
	return append(order.AppendUint16(dst, uint16(len(b))), b...)
}

func appendLong(dst, b []byte) []byte {
	return append(order.AppendUint32(dst, uint32(len(b))), b...)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// ErrMalformed says that bytes are not what Append writes.
var ErrMalformed = errors.New("malformed record")

// Parse fills f from the bytes of Append. The returned program is nil when there is none; it refers to b.
func Parse(b []byte, f *Facts) (*Program, error) {
	if len(b) < fixed {
		return nil, ErrMalformed
	}
	f.Reset(event.Kind(b[0]), order.Uint32(b[4:]))
	flags := b[1]
	f.Time, f.Retval = order.Uint64(b[8:]), int64(order.Uint64(b[16:]))
	for i := range f.Num {
		f.Num[i] = order.Uint64(b[24+8*i:])
	}
	c := cursor{rest: b[fixed:]}
	if flags&hasFile != 0 {
		c.file(&f.File)
	}
	if flags&hasDestination != 0 {
		c.file(&f.Destination)
	}
	for i, flag := range [...]byte{hasText0, hasText1} {
		if flags&flag != 0 {
			f.Text[i].Set(c.bytes(int(order.Uint16(c.take(2)))))
		}
	}
	var p *Program
	if flags&hasProgram != 0 {
		p = c.program()
	}
	if c.short || len(c.rest) > 0 {
		return nil, ErrMalformed
	}
	return p, nil
}

// cursor reads forward; past the end it yields zeros and remembers that it was short.
type cursor struct {
	rest  []byte
	short bool
}

var zeros [fileSize]byte

func (c *cursor) take(n int) []byte {
	if n > len(c.rest) {
		c.short = true
		return zeros[:n]
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) bytes(n int) []byte {
	if n > len(c.rest) {
		c.short = true
		return nil
	}
	return c.take(n)
}

func (c *cursor) file(f *File) {
	b := c.take(fileSize)
	f.Known = b[0] != 0
	f.Mode, f.UID, f.GID = order.Uint32(b[1:]), order.Uint32(b[5:]), order.Uint32(b[9:])
	f.Inode, f.CTime, f.MTime = order.Uint64(b[13:]), order.Uint64(b[21:]), order.Uint64(b[29:])
	f.Path.Set(c.bytes(int(order.Uint16(b[37:]))))
}

func (c *cursor) program() *Program {
	b := c.take(2)
	p := &Program{ArgsTruncated: b[0] != 0, EnvsTruncated: b[1] != 0}
	p.Args = c.bytes(int(order.Uint32(c.take(4))))
	p.Envs = c.bytes(int(order.Uint32(c.take(4))))
	return p
}
