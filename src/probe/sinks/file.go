package sinks

import (
	"fmt"
	"io/fs"
	"os"
)

// File appends to a file and puts it aside when it has grown to a size: PATH becomes PATH.1, PATH.1 becomes PATH.2 and so
// on, and the oldest is removed. A file that somebody else has put aside is followed by a new one, so that logrotate needs
// no signal. It is for one goroutine.
type File struct {
	path string
	most int64 // bytes
	keep int   // files put aside
	file *os.File
	size int64
}

// Open opens a file for appending, readable by its group. Its directory must exist. At most (keep+1) times most bytes, and
// one write more, are used; keep of 0 begins anew without keeping what was.
func Open(path string, most int64, keep int) (*File, error) {
	f := &File{path: path, most: most, keep: keep}
	return f, f.open()
}

func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("open output: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return fmt.Errorf("open output: %w", err)
	}
	f.file, f.size = file, info.Size()
	return nil
}

// Write implements io.Writer. What is written at once is never parted.
func (f *File) Write(p []byte) (int, error) {
	if err := f.prepare(int64(len(p))); err != nil {
		return 0, err
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	return n, err
}

// prepare makes room. Whatever fails, the file at hand is written on.
func (f *File) prepare(more int64) error {
	if f.file == nil || f.moved() {
		return f.reopen()
	}
	if f.size == 0 || f.size+more <= f.most || !f.regular() {
		return nil
	}
	for n := f.keep; n > 0; n-- {
		from := f.path
		if n > 1 {
			from = f.aside(n - 1)
		}
		os.Rename(from, f.aside(n))
	}
	if f.keep == 0 {
		os.Remove(f.path)
	}
	return f.reopen()
}

func (f *File) aside(n int) string { return fmt.Sprintf("%s.%d", f.path, n) }

func (f *File) reopen() error {
	old := f.file
	if err := f.open(); err != nil {
		if old != nil {
			return nil
		}
		return err
	}
	if old != nil {
		old.Close()
	}
	return nil
}

// regular tells files from /dev/stderr, pipes and the like, which must not be put aside.
func (f *File) regular() bool {
	info, err := os.Lstat(f.path)
	return err == nil && info.Mode().Type()&^fs.ModeSymlink == 0 && info.Mode()&fs.ModeSymlink == 0
}

// moved tells whether the path is no longer that of the open file.
func (f *File) moved() bool {
	here, err := os.Stat(f.path)
	if err != nil {
		return os.IsNotExist(err)
	}
	open, err := f.file.Stat()
	return err == nil && !os.SameFile(here, open)
}

// Close ends writing.
func (f *File) Close() error { return f.file.Close() }
