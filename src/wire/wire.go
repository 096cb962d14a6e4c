// Package wire turns events into the bytes of the original's protocol and back: frames of MessagePack maps, bounded before
// anything is allocated. Connections, and what the events mean, are left to others.
//
// A frame is the length as 4 bytes in the sender's byte order, which is little-endian on all that this runs on, and then
// one map. What we add to the original's messages, its peers skip:
//
//   - a hello with "Accepts" (a list of strings) asks a probe of ours for answers: "interest" and "ack";
//   - "Seq" and "Dropped" in a message: its position in the tracer's stream from 1, and the events lost so far;
//   - the kinds "Ptrace" (type 100) and "Signal" (type 101), sent only to a probe that has answered;
//   - the answer, a frame from the probe: a map with "Interest" {"Kinds", "OpenFlags", "Signals",
//     "SparedOpens", "UnlessOpens"} and "Ack".
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/ebpfless/ebpfless/src/event"
)

// MaxFrame is the largest payload in bytes that the original's probe takes.
const MaxFrame = 256 << 10

const headerSize = 4

// Errors that frames can have; the text around them says more.
var (
	ErrTooLarge  = errors.New("frame is larger than 256 KiB")
	ErrTruncated = errors.New("frame ends early")
	ErrMalformed = errors.New("malformed message")
)

// AppendMessage appends a message as one frame, header and payload together: the original's probe wants the header whole.
func AppendMessage(dst []byte, m *event.Message) ([]byte, error) {
	return appendFrame(dst, fromMessage(m))
}

// AppendAnswer appends an answer as one frame.
func AppendAnswer(dst []byte, a *event.Answer) ([]byte, error) {
	return appendFrame(dst, fromAnswer(a))
}

type marshaler interface {
	MarshalMsg([]byte) ([]byte, error)
}

func appendFrame(dst []byte, v marshaler) ([]byte, error) {
	start := len(dst)
	out, err := v.MarshalMsg(append(dst, make([]byte, headerSize)...))
	if err != nil {
		return dst, fmt.Errorf("encode message: %w", err)
	}
	size := len(out) - start - headerSize
	if size > MaxFrame {
		return dst, fmt.Errorf("encode message of %d bytes: %w", size, ErrTooLarge)
	}
	binary.LittleEndian.PutUint32(out[start:], uint32(size))
	return out, nil
}

// Decode reads the payload of one frame. Bytes after the message are ignored, as the original does.
func Decode(payload []byte) (event.Message, error) {
	if err := bounded(payload); err != nil {
		return event.Message{}, err
	}
	var m message
	if _, err := m.UnmarshalMsg(payload); err != nil {
		return event.Message{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return toMessage(&m)
}

// DecodeAnswer reads the payload of an answer.
func DecodeAnswer(payload []byte) (event.Answer, error) {
	if err := bounded(payload); err != nil {
		return event.Answer{}, err
	}
	var a answer
	if _, err := a.UnmarshalMsg(payload); err != nil {
		return event.Answer{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return toAnswer(&a), nil
}

// ReadAnswer reads one answer from a stream; io.EOF at its end.
func ReadAnswer(r io.Reader) (event.Answer, error) {
	payload, err := readFrame(r, nil)
	if err != nil {
		return event.Answer{}, err
	}
	return DecodeAnswer(payload)
}

// Reader reads the messages of one connection into a buffer of its own. Messages own their strings and may be kept.
type Reader struct {
	r      io.Reader
	buffer []byte
	offset int64
}

// NewReader reads from r, which should be buffered.
func NewReader(r io.Reader) *Reader { return &Reader{r: r} }

// Next gives the next message. It ends with io.EOF between two frames; any other error names the place, and the stream
// can't be read on.
func (r *Reader) Next() (event.Message, error) {
	payload, err := readFrame(r.r, r.buffer)
	if err == io.EOF {
		return event.Message{}, err
	}
	if err != nil {
		return event.Message{}, fmt.Errorf("read frame at byte %d of the stream: %w", r.offset, err)
	}
	m, err := Decode(payload)
	if err != nil {
		return m, fmt.Errorf("decode frame of %d bytes at byte %d of the stream: %w", len(payload), r.offset, err)
	}
	r.buffer = payload[:0]
	r.offset += int64(headerSize + len(payload))
	return m, nil
}

func readFrame(r io.Reader, buffer []byte) ([]byte, error) {
	var header [headerSize]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("header: %w", ErrTruncated)
		}
		return nil, err
	}
	size := binary.LittleEndian.Uint32(header[:])
	if size > MaxFrame {
		return nil, fmt.Errorf("length %d: %w", size, ErrTooLarge)
	}
	if int(size) > cap(buffer) {
		buffer = make([]byte, size)
	}
	buffer = buffer[:size]
	if _, err := io.ReadFull(r, buffer); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("payload of %d bytes: %w", size, ErrTruncated)
		}
		return nil, err
	}
	return buffer, nil
}
