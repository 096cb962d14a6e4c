package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Changes makes changes one after the other, each wholly or not at all: what is being done is written down first, so that
// the next change finds what was interrupted.
type Changes struct {
	System System
	// Folder holds the journal.
	Folder string
	// Say tells what was found and done.
	Say func(format string, args ...any)
}

// DefaultFolder is where the journal lies on a host.
const DefaultFolder = "/var/lib/cws/changes"

// note is the journal's file for one change.
type note struct {
	Service string `json:"service"`
	Mode    Mode   `json:"mode"`
	Enable  bool   `json:"enable"`
}

func (n note) file() string { return string(n.Mode) + "-" + n.Service + ".json" }

// ErrBusy means that another change is being made.
var ErrBusy = errors.New("another cwsctl is at work; try again when it is done")

// Begin keeps others from making changes until the function that it gives is called, and deals with what was interrupted.
func (c *Changes) Begin(ctx context.Context) (end func(), err error) {
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, fmt.Errorf("make a journal: %w (only root can change services)", err)
	}
	lock, err := os.OpenFile(filepath.Join(c.Folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a journal: %w", err)
	}
	if err := alone(lock); err != nil {
		lock.Close()
		return nil, err
	}
	if err := c.recover(ctx); err != nil {
		lock.Close()
		return nil, err
	}
	return func() { lock.Close() }, nil
}

// alone waits a moment for the lock: who was killed while starting a program has left it to that program until its execve(2).
func alone(lock *os.File) error {
	for tries := 0; ; tries++ {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case err != unix.EWOULDBLOCK:
			return fmt.Errorf("lock the journal: %w", err)
		case tries == 5:
			return ErrBusy
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// recover undoes what was begun, and ends what was being undone.
func (c *Changes) recover(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(c.Folder, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read the journal: %w", err)
		}
		var n note
		if err := json.Unmarshal(text, &n); err != nil {
			return fmt.Errorf("read the journal: %s: %w; remove it if %q is as it should be", file, err, strings.TrimSuffix(filepath.Base(file), ".json"))
		}
		c.Say("%s %s was interrupted and is taken back", n.Mode, n.Service)
		if err := c.System.Disable(ctx, n.Service, n.Mode); err != nil {
			return fmt.Errorf("take back %s %s: %w", n.Mode, n.Service, err)
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("clear the journal: %w", err)
		}
	}
	return nil
}

// Enable watches a service; when that fails it is as before.
func (c *Changes) Enable(ctx context.Context, name string, mode Mode) error {
	n := note{Service: name, Mode: mode, Enable: true}
	return c.noted(n, func() error {
		err := c.System.Enable(ctx, name, mode)
		if err == nil {
			return nil
		}
		// Even if ctx has ended: what was begun is taken back.
		if undo := c.System.Disable(context.WithoutCancel(ctx), name, mode); undo != nil {
			return fmt.Errorf("%w; and taking it back: %w", err, undo)
		}
		return err
	})
}

// Disable ends the watch.
func (c *Changes) Disable(ctx context.Context, name string, mode Mode) error {
	return c.noted(note{Service: name, Mode: mode}, func() error { return c.System.Disable(ctx, name, mode) })
}

// noted does something that the journal knows of from before its begin to after its end. What fails is over, too: it has
// been said and taken back; only an interruption leaves its note.
func (c *Changes) noted(n note, do func() error) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	path := filepath.Join(c.Folder, n.file())
	if err := Write(File{Path: path, Text: string(text) + "\n", Mode: 0o600}); err != nil {
		return err
	}
	err = do()
	if clear := os.Remove(path); clear != nil && !errors.Is(clear, fs.ErrNotExist) {
		err = errors.Join(err, fmt.Errorf("clear the journal: %w", clear))
	}
	return err
}

// Write puts a file in place in one step, complete and on the disk, or not at all.
func Write(f File) error {
	file, err := os.CreateTemp(filepath.Dir(f.Path), ".cws-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(f.Text)
	if err == nil {
		err = file.Chmod(f.Mode)
	}
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), f.Path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	return nil
}
