package wire

import (
	"net/netip"

	"github.com/tinylib/msgp/msgp"
)

// The original's tracer writes numbers at their full width, and lists that are nil as nil. These types do the same, and
// read as liberally as its decoder: any integer code, whatever the width of the field.

type (
	num8   uint8
	num16  uint16
	num32  uint32
	num64  uint64
	int32n int32
	int64n int64
	plain  int // a Go int: the shortest code
)

func (v num8) MarshalMsg(b []byte) ([]byte, error)  { return append(b, 0xcc, byte(v)), nil }
func (v num16) MarshalMsg(b []byte) ([]byte, error) { return append(b, 0xcd, byte(v>>8), byte(v)), nil }
func (v num32) MarshalMsg(b []byte) ([]byte, error) { return append32(append(b, 0xce), uint32(v)), nil }
func (v num64) MarshalMsg(b []byte) ([]byte, error) { return append64(append(b, 0xcf), uint64(v)), nil }
func (v int32n) MarshalMsg(b []byte) ([]byte, error) {
	return append32(append(b, 0xd2), uint32(v)), nil
}
func (v int64n) MarshalMsg(b []byte) ([]byte, error) {
	return append64(append(b, 0xd3), uint64(v)), nil
}

func (v plain) MarshalMsg(b []byte) ([]byte, error) {
	if v >= 0 {
		return msgp.AppendUint64(b, uint64(v)), nil
	}
	return msgp.AppendInt64(b, int64(v)), nil
}

func append32(b []byte, v uint32) []byte {
	return append(b, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func append64(b []byte, v uint64) []byte { return append32(append32(b, uint32(v>>32)), uint32(v)) }

func (v *num8) UnmarshalMsg(b []byte) ([]byte, error)   { return integer(v, b) }
func (v *num16) UnmarshalMsg(b []byte) ([]byte, error)  { return integer(v, b) }
func (v *num32) UnmarshalMsg(b []byte) ([]byte, error)  { return integer(v, b) }
func (v *num64) UnmarshalMsg(b []byte) ([]byte, error)  { return integer(v, b) }
func (v *int32n) UnmarshalMsg(b []byte) ([]byte, error) { return integer(v, b) }
func (v *int64n) UnmarshalMsg(b []byte) ([]byte, error) { return integer(v, b) }
func (v *plain) UnmarshalMsg(b []byte) ([]byte, error)  { return integer(v, b) }

// integer reads any integer code; what doesn't fit is cut, as the original does. nil leaves zero.
func integer[T num8 | num16 | num32 | num64 | int32n | int64n | plain](into *T, b []byte) ([]byte, error) {
	switch msgp.NextType(b) {
	case msgp.NilType:
		*into = 0
		return msgp.ReadNilBytes(b)
	case msgp.UintType:
		v, rest, err := msgp.ReadUint64Bytes(b)
		*into = T(v)
		return rest, err
	}
	v, rest, err := msgp.ReadInt64Bytes(b)
	*into = T(v)
	return rest, err
}

func (num8) Msgsize() int   { return msgp.Uint8Size }
func (num16) Msgsize() int  { return msgp.Uint16Size }
func (num32) Msgsize() int  { return msgp.Uint32Size }
func (num64) Msgsize() int  { return msgp.Uint64Size }
func (int32n) Msgsize() int { return msgp.Int32Size }
func (int64n) Msgsize() int { return msgp.Int64Size }
func (plain) Msgsize() int  { return msgp.Int64Size }

// list is []string: nil when nil.
type list []string

func (l list) MarshalMsg(b []byte) ([]byte, error) {
	if l == nil {
		return msgp.AppendNil(b), nil
	}
	b = msgp.AppendArrayHeader(b, uint32(len(l)))
	for _, s := range l {
		b = msgp.AppendString(b, s)
	}
	return b, nil
}

// UnmarshalMsg believes a length only as far as there are bytes for it: each string takes one at least.
func (l *list) UnmarshalMsg(b []byte) ([]byte, error) {
	*l = nil
	if msgp.IsNil(b) {
		return msgp.ReadNilBytes(b)
	}
	n, rest, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	if uint64(n) > uint64(len(rest)) {
		return b, msgp.ErrShortBytes
	}
	made := make(list, n)
	for i := range made {
		if made[i], rest, err = text(rest); err != nil {
			return b, err
		}
	}
	*l = made
	return rest, nil
}

func (l list) Msgsize() int {
	size := msgp.ArrayHeaderSize
	for _, s := range l {
		size += msgp.StringPrefixSize + len(s)
	}
	return size
}

// text reads a string, or a bin as one.
func text(b []byte) (string, []byte, error) {
	if msgp.NextType(b) == msgp.BinType {
		raw, rest, err := msgp.ReadBytesZC(b)
		return string(raw), rest, err
	}
	return msgp.ReadStringBytes(b)
}

// blob is []byte: nil when nil.
type blob []byte

func (v blob) MarshalMsg(b []byte) ([]byte, error) {
	if v == nil {
		return msgp.AppendNil(b), nil
	}
	return msgp.AppendBytes(b, v), nil
}

func (v *blob) UnmarshalMsg(b []byte) ([]byte, error) {
	*v = nil
	if msgp.IsNil(b) {
		return msgp.ReadNilBytes(b)
	}
	raw, rest, err := msgp.ReadBytesZC(b)
	if err != nil {
		return b, err
	}
	*v = append(blob{}, raw...)
	return rest, nil
}

func (v blob) Msgsize() int { return msgp.BytesPrefixSize + len(v) }

// address is a net.IP, which the original writes as its text in a bin.
type address netip.Addr

func (a address) MarshalMsg(b []byte) ([]byte, error) {
	ip := netip.Addr(a)
	if !ip.IsValid() {
		return msgp.AppendNil(b), nil
	}
	return msgp.AppendBytes(b, []byte(ip.String())), nil
}

// UnmarshalMsg reads the text as bin or str, and an address of 4 or 16 raw bytes.
func (a *address) UnmarshalMsg(b []byte) ([]byte, error) {
	*a = address{}
	if msgp.IsNil(b) {
		return msgp.ReadNilBytes(b)
	}
	s, rest, err := text(b)
	if err != nil || s == "" {
		return rest, err
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		var ok bool
		if ip, ok = netip.AddrFromSlice([]byte(s)); !ok {
			return b, err
		}
	}
	*a = address(ip)
	return rest, nil
}

func (a address) Msgsize() int { return msgp.BytesPrefixSize + 45 }
