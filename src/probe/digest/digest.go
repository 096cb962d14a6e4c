// Package digest hashes files that rules ask about, bounded in size and rate. Whose files they are is left to its callers.
package digest

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// State says what became of a request, in the words of the original's events.
type State string

// What can become of a request.
const (
	Done        State = "Done"
	NotFound    State = "FileNotFound"
	NoPath      State = "PathnameResolutionError"
	TooBig      State = "FileTooBig"
	Empty       State = "FileEmpty"
	NotOpened   State = "FileOpenError"
	NotAsked    State = "EventTypeNotConfigured"
	RateLimited State = "HashWasRateLimited"
	Failed      State = "HashFailed"
)

// algorithms by their names in the configuration. ssdeep, which it may name as well, is left out: it finds similar files,
// and no rule can ask for that.
var algorithms = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha256": sha256.New}

// Hasher is safe for concurrent use.
type Hasher struct {
	names   []string
	maxSize int64
	rate    float64

	lock   sync.Mutex
	tokens float64
	last   time.Time
}

// New makes a hasher of the algorithms that it knows; others are left out. maxSize is in bytes, rate in files a second.
func New(names []string, maxSize int64, rate int) *Hasher {
	h := &Hasher{maxSize: maxSize, rate: float64(rate), tokens: float64(rate)}
	for _, name := range names {
		if algorithms[name] != nil && !slices.Contains(h.names, name) {
			h.names = append(h.names, name)
		}
	}
	return h
}

// Open opens the first of the names under which a file may be found, if it is the file with the inode (0: any). The file
// is the caller's to close. It never waits, for a fifo's other end say.
func (h *Hasher) Open(names []string, inode uint64) (*os.File, State) {
	if !h.allow(time.Now()) {
		return nil, RateLimited
	}
	state := NoPath
	for _, name := range names {
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err != nil {
			if state = NotOpened; errors.Is(err, fs.ErrNotExist) {
				state = NotFound
			}
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG && (inode == 0 || st.Ino == inode) {
			return os.NewFile(uintptr(fd), name), Done
		}
		unix.Close(fd)
		state = NotFound // another file has its name now
	}
	return nil, state
}

func (h *Hasher) allow(now time.Time) bool {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.rate <= 0 {
		return true
	}
	h.tokens = min(h.rate, h.tokens+now.Sub(h.last).Seconds()*h.rate)
	h.last = now
	if h.tokens < 1 {
		return false
	}
	h.tokens--
	return true
}

// Sum gives "sha256:…" and the like. max is the rule's own limit in bytes; 0: that of the configuration. A file that grows
// past the limit while it is read is too big.
func (h *Hasher) Sum(f *os.File, max int64) ([]string, State) {
	if max <= 0 || max > h.maxSize {
		max = h.maxSize
	}
	if info, err := f.Stat(); err == nil && info.Size() > max {
		return nil, TooBig
	}
	sums := make([]hash.Hash, len(h.names))
	writers := make([]io.Writer, len(h.names))
	for i, name := range h.names {
		sums[i] = algorithms[name]()
		writers[i] = sums[i]
	}
	n, err := io.Copy(io.MultiWriter(writers...), io.LimitReader(f, max+1))
	switch {
	case err != nil:
		return nil, Failed
	case n > max:
		return nil, TooBig
	case n == 0:
		return nil, Empty
	}
	out := make([]string, len(sums))
	for i, sum := range sums {
		out[i] = h.names[i] + ":" + hex.EncodeToString(sum.Sum(nil))
	}
	return out, Done
}
