package sysvinit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	texts "github.com/ebpfless/ebpfless/init"
	"github.com/ebpfless/ebpfless/src/service"
)

// hooks are what Debian's /lib/lsb/init-functions sources in every script that uses it; systemd has its calls redirected there,
// too. Red Hat's functions know no such folder.
const hooks = "/lib/lsb/init-functions.d"

// redirectFile comes before 40-systemd and after what scripts are to say.
const redirectFile = hooks + "/30-cws"

// redirect is the file that sends calls of a wrapped service's own script to ours, where there is a place for it.
func (s System) redirect() []service.File {
	if !exists(s.path(hooks)) {
		return nil
	}
	text, err := texts.Sysvinit.ReadFile("sysvinit/redirect.sh")
	if err != nil {
		panic(err) // it is part of this program
	}
	return []service.File{{Path: redirectFile, Text: string(text), Mode: 0o644}}
}

func (s System) redirectCalls() error {
	for _, file := range s.redirect() {
		file.Path = s.path(file.Path)
		if err := service.Write(file); err != nil {
			return err
		}
	}
	return nil
}

// endRedirect takes the file away when no service is wrapped any more.
func (s System) endRedirect() error {
	if others, _ := filepath.Glob(s.stateFile("*", service.Wrap)); len(others) > 0 {
		return nil
	}
	if err := os.Remove(s.path(redirectFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end the redirection of scripts: %w", err)
	}
	return nil
}
