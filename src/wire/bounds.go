package wire

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"
)

// maxDepth is far above what messages need: 5.
const maxDepth = 16

// bounded walks a message before it is decoded: nothing may be nested deeper, or be said to be longer, than the bytes
// that are there.
func bounded(payload []byte) error {
	if len(payload) > MaxFrame {
		return ErrTooLarge
	}
	if msgp.NextType(payload) != msgp.MapType {
		return fmt.Errorf("%w: not a map", ErrMalformed)
	}
	_, err := walk(payload, 0)
	return err
}

func walk(b []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, maxDepth)
	}
	count, rest := uint32(0), b
	var err error
	switch msgp.NextType(b) {
	case msgp.MapType:
		if count, rest, err = msgp.ReadMapHeaderBytes(b); err == nil && count > 1<<20 {
			return nil, fmt.Errorf("%w: a map of %d", ErrMalformed, count)
		}
		count *= 2
	case msgp.ArrayType:
		count, rest, err = msgp.ReadArrayHeaderBytes(b)
	default:
		rest, err = msgp.Skip(b)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		return rest, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if uint64(count) > uint64(len(rest)) {
		return nil, fmt.Errorf("%w: %d elements in %d bytes", ErrMalformed, count, len(rest))
	}
	for ; count > 0; count-- {
		if rest, err = walk(rest, depth+1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
