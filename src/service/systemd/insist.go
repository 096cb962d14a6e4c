package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/service/settings"
)

// insistence is what wrap --force puts before what /etc/cws/NAME.conf says, for the generator and the instance, which know no
// flags. Two lines that can be cut out exactly.
const insistence = "# Made by cwsctl wrap --force; cwsctl unwrap takes it away.\nForce=yes\n"

// insisted tells whether the administrator wants a service behind a tracer that nobody can enable.
func (h Host) insisted(instance string) (bool, error) {
	if h.Force {
		return true, nil
	}
	conf, err := h.settings(instance)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && conf.Force, err
}

// insisting gives the settings with which a service is wrapped without --force; nil where they are not needed, or there already.
func (h Host) insisting(instance string) (*service.File, error) {
	h.Force = false
	loaded, err := h.resolve(instance)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var obstacle *service.Obstacle
	if err := h.unasked(instance, loaded); !errors.As(err, &obstacle) {
		return nil, err
	}
	file := &service.File{Path: filepath.Join(settings.Folder, instance+settings.Suffix), Mode: 0o644}
	text, err := os.ReadFile(h.path(file.Path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if st, err := os.Stat(h.path(file.Path)); err == nil {
		file.Mode = st.Mode().Perm()
	}
	file.Text = insistence + string(text)
	return file, nil
}

// insist writes them.
func (h Host) insist(instance string) error {
	file, err := h.insisting(instance)
	if err != nil || file == nil {
		return err
	}
	file.Path = h.path(file.Path)
	if err := os.MkdirAll(filepath.Dir(file.Path), 0o755); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	return service.Write(*file)
}

// relent takes back what insist has written, and what the administrator has written stays.
func (h Host) relent(instance string) error {
	path := h.path(settings.Folder, instance+settings.Suffix)
	text, err := os.ReadFile(path)
	before := strings.Replace(string(text), insistence, "", 1)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && before == string(text):
		return nil
	case err != nil:
		return fmt.Errorf("take settings back: %w", err)
	case before == "":
		return os.Remove(path)
	}
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("take settings back: %w", err)
	}
	return service.Write(service.File{Path: path, Text: before, Mode: st.Mode().Perm()})
}
