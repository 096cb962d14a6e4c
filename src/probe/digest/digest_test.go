package digest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSumGivesTheKnownHashes(t *testing.T) {
	h := New([]string{"sha1", "sha256", "ssdeep", "sha1"}, 100, 0)
	got, state := sum(t, h, write(t, "abc"), 0)
	// FIPS 180-4's own examples.
	want := []string{"sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}
	if state != Done || !slices.Equal(got, want) {
		t.Errorf("%s %q, want %q", state, got, want)
	}
}

func TestWhatIsNotHashedSaysWhy(t *testing.T) {
	h := New([]string{"sha256"}, 10, 0)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	small := write(t, "abc")
	for _, c := range []struct {
		name  string
		path  string
		inode uint64
		max   int64
		want  State
	}{
		{"too big", write(t, "more than ten bytes"), 0, 0, TooBig},
		{"too big for the rule", small, 0, 2, TooBig},
		{"a rule can't ask for more", write(t, "more than ten bytes"), 0, 1000, TooBig},
		{"empty", write(t, ""), 0, 0, Empty},
		{"gone", "/nonexistent/file", 0, 0, NotFound},
		{"a fifo", fifo, 0, 0, NotFound},
		{"another file by now", small, 1, 0, NotFound},
		{"no name", "", 0, 0, NoPath},
	} {
		names := []string{c.path}
		if c.path == "" {
			names = nil
		}
		f, state := h.Open(names, c.inode)
		if f != nil {
			_, state = h.Sum(f, c.max)
			f.Close()
		}
		if state != c.want {
			t.Errorf("%s: %s, want %s", c.name, state, c.want)
		}
	}
}

func TestTheRateIsBounded(t *testing.T) {
	h := New([]string{"sha256"}, 10, 2)
	path := write(t, "abc")
	var states []State
	for range 3 {
		f, state := h.Open([]string{path}, 0)
		if f != nil {
			f.Close()
		}
		states = append(states, state)
	}
	if !slices.Equal(states, []State{Done, Done, RateLimited}) {
		t.Errorf("%q", states)
	}
	h.last = h.last.Add(-time.Second)
	if f, state := h.Open([]string{path}, 0); state != Done {
		t.Errorf("a second later: %s", state)
	} else {
		f.Close()
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sum(t *testing.T, h *Hasher, path string, max int64) ([]string, State) {
	t.Helper()
	f, state := h.Open([]string{path}, 0)
	if f == nil {
		t.Fatal(state)
	}
	defer f.Close()
	return h.Sum(f, max)
}
