package systemd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ebpfless/ebpfless/src/service"
)

// Generate is the generator (systemd.generator(7)): it writes the drop-ins of all instances in force below folder, and those
// of the instances that run a command of their own. A service that can't be wrapped is told about and left as it is; the
// others still get theirs.
func (h Host) Generate(folder string, tell func(instance string, err error)) error {
	own, err := h.Own()
	if err != nil {
		return err
	}
	for _, instance := range own {
		dropIn, err := h.Run(instance)
		if err == nil {
			err = dropIn.write(folder)
		}
		if err != nil {
			tell(instance, err)
		}
	}
	instances, err := h.Wrapped()
	if err != nil {
		return err
	}
	for _, instance := range instances {
		dropIn, err := h.Wrap(instance)
		if errors.Is(err, ErrNotFound) && slices.Contains(own, instance) {
			continue
		}
		if err == nil {
			err = dropIn.write(folder)
		}
		if err != nil {
			tell(instance, err)
		}
	}
	return nil
}

func (d *DropIn) write(folder string) error {
	path := filepath.Join(folder, d.Path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write drop-in: %w", err)
	}
	return service.Write(service.File{Path: path, Text: d.Text, Mode: 0o644})
}
