package wire

import "github.com/tinylib/msgp/msgp"

// traceID is a map of two numbers; in the earliest form, of spring 2024, it was one.
type traceID struct{ Lo, Hi uint64 }

// MarshalMsg writes the later form.
func (t traceID) MarshalMsg(b []byte) ([]byte, error) {
	b = msgp.AppendString(msgp.AppendMapHeader(b, 2), "Lo")
	b, _ = num64(t.Lo).MarshalMsg(b)
	return num64(t.Hi).MarshalMsg(msgp.AppendString(b, "Hi"))
}

// UnmarshalMsg reads both.
func (t *traceID) UnmarshalMsg(b []byte) ([]byte, error) {
	*t = traceID{}
	if msgp.NextType(b) != msgp.MapType {
		var lo num64
		rest, err := lo.UnmarshalMsg(b)
		t.Lo = uint64(lo)
		return rest, err
	}
	n, rest, err := msgp.ReadMapHeaderBytes(b)
	for ; n > 0 && err == nil; n-- {
		var key string
		var value num64
		if key, rest, err = text(rest); err != nil {
			break
		}
		if rest, err = value.UnmarshalMsg(rest); err != nil {
			break
		}
		switch key {
		case "Lo":
			t.Lo = uint64(value)
		case "Hi":
			t.Hi = uint64(value)
		}
	}
	return rest, err
}

// Msgsize is an upper bound in bytes.
func (traceID) Msgsize() int { return msgp.MapHeaderSize + 2*(msgp.StringPrefixSize+2+msgp.Uint64Size) }

// ignored is what only the original's tracer needs; it is written as nil and skipped when read.
type ignored struct{}

// MarshalMsg writes nil.
func (*ignored) MarshalMsg(b []byte) ([]byte, error) { return msgp.AppendNil(b), nil }

// UnmarshalMsg skips whatever is there.
func (*ignored) UnmarshalMsg(b []byte) ([]byte, error) { return msgp.Skip(b) }

// Msgsize is an upper bound in bytes.
func (*ignored) Msgsize() int { return msgp.NilSize }
