package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
)

// SetFile sets keys in a file, all or none. A file that is missing is made, mode 0640. The file of before is kept beside it
// as FILE.bak. It tells whether anything had to change: what is right already is not written. A symbolic link stays one.
func SetFile(path string, settings ...Setting) (changed bool, err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	mode, like := fs.FileMode(0o640), ""
	before, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	switch {
	case err == nil && statErr == nil:
		mode, like = info.Mode().Perm(), path
	case !errors.Is(err, fs.ErrNotExist):
		return false, fmt.Errorf("read configuration: %w", err)
	}
	text := before
	for _, s := range settings {
		if text, err = setWhereOther(path, text, s); err != nil {
			return false, err
		}
	}
	if bytes.Equal(text, before) {
		return false, nil
	}
	if before != nil {
		if err := replaceFile(path+".bak", before, mode, like); err != nil {
			return false, err
		}
	}
	return true, replaceFile(path, text, mode, like)
}

// setWhereOther leaves a text alone that says so already. What is written stands there even where it is the default.
func setWhereOther(path string, text []byte, s Setting) ([]byte, error) {
	before, _, err := Parse(path, text, nil)
	if err != nil {
		return nil, err
	}
	want, err := with(before, s.Key, s.Value)
	if err != nil {
		return nil, err
	}
	if len(text) > 0 && reflect.DeepEqual(before, want) {
		return text, nil
	}
	return Set(path, text, s.Key, s.Value)
}

// replaceFile writes beside the file and renames: nobody reads half a file. like is the file whose owner and attributes it
// gets, "" for those of any new file.
func replaceFile(path string, text []byte, mode fs.FileMode, like string) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(mode), attributesLike(file, like), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w (is it immutable, or the disk full?)", path, err)
	}
	return nil
}
