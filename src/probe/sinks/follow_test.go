package sinks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheLastLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	for text, want := range map[string]string{"": "", "a\n": "a\n", "a\nb\nc\n": "b\nc\n", strings.Repeat("x", 100<<10) + "\nb\nc\n": "b\nc\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := Last(file, 2); err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := Follow(context.Background(), file, false, func(line []byte) error { got += string(line); return nil }); err != nil || got != want {
			t.Errorf("%d bytes: %q (%v), want %q", len(text), got, err, want)
		}
	}
}

// A reader sees every line of a file that is put aside again and again.
func TestFollowingPassesRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := Open(path, 1000, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	const total = 60
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		for i := range total {
			fmt.Fprintf(f, "%02d %s\n", i, strings.Repeat("x", 96)) // ten fill a file
			time.Sleep(20 * time.Millisecond)
		}
	}()
	n := 0
	err = Follow(ctx, file, true, func(line []byte) error {
		if !strings.HasPrefix(string(line), fmt.Sprintf("%02d ", n)) {
			t.Errorf("line %d is %.10q", n, line)
		}
		if n++; n == total {
			cancel()
		}
		return nil
	})
	if err != nil || n != total {
		t.Errorf("%d of %d lines: %v", n, total, err)
	}
}
