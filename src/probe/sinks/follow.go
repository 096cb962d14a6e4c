package sinks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// longestLine bounds what is read of one detection, in bytes.
const longestLine = 4 << 20

// Follow calls each for every line of a file, and with follow for those that are added until the context ends. A file that
// is put aside is followed by the new one of its name. each must not keep the line. The file is closed.
func Follow(ctx context.Context, file *os.File, follow bool, each func(line []byte) error) error {
	defer func() { file.Close() }()
	reader := bufio.NewReaderSize(file, 64<<10)
	var line []byte
	var next *os.File
	for {
		part, err := reader.ReadBytes('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			if err := each(line); err != nil {
				return err
			}
			line = line[:0]
			continue
		case !errors.Is(err, io.EOF):
			return fmt.Errorf("read detections: %w", err)
		case !follow:
			return nil
		case len(line) > longestLine:
			return fmt.Errorf("read detections: a line of more than %d bytes", longestLine)
		}
		if next != nil { // read to its end once more after it was put aside
			file.Close()
			file, next = next, nil
			reader.Reset(file)
			line = line[:0]
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(100 * time.Millisecond):
		}
		next = successor(file)
	}
}

// successor gives the file that has taken another's name, and nil while it is the same.
func successor(file *os.File) *os.File {
	old, err := file.Stat()
	if err != nil {
		return nil
	}
	current, err := os.Stat(file.Name())
	if err != nil || os.SameFile(old, current) {
		return nil
	}
	next, err := os.Open(file.Name())
	if err != nil {
		return nil
	}
	return next
}

// Last moves a file to where its last n lines begin.
func Last(file *os.File, n int) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("read detections: %w", err)
	}
	block := make([]byte, 64<<10)
	for at, found := end, 0; at > 0; {
		size := min(at, int64(len(block)))
		at -= size
		if _, err := file.ReadAt(block[:size], at); err != nil {
			return fmt.Errorf("read detections: %w", err)
		}
		for i := size - 1; i >= 0; i-- {
			// The line end that the file ends with ends its last line and begins none.
			if block[i] != '\n' || at+i == end-1 {
				continue
			}
			if found++; found == n {
				_, err := file.Seek(at+i+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}
