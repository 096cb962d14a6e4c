package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// module is one of others, in the module cache.
type module struct{ Path, Version, Dir string }

// writeNotices puts the licence of the project and those of all modules that are linked into its programs into one file.
func writeNotices(path string) error {
	own, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "ebpfless, https://github.com/ebpfless/ebpfless\n\n%s", own)
	modules, err := linked()
	if err != nil {
		return err
	}
	for _, m := range modules {
		licences, err := filepath.Glob(filepath.Join(m.Dir, "LICEN[CS]E*"))
		if err != nil || len(licences) == 0 {
			return fmt.Errorf("%s %s has no licence file in %s", m.Path, m.Version, m.Dir)
		}
		notices, _ := filepath.Glob(filepath.Join(m.Dir, "NOTICE*"))
		for _, name := range append(licences, notices...) {
			licence, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "\n%s\n%s %s, %s\n\n%s", rule, m.Path, m.Version, filepath.Base(name), licence)
		}
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

const rule = "------------------------------------------------------------------------"

// linked lists the modules of others that the programs hold, by path.
func linked() ([]module, error) {
	out, err := exec.Command("go", "list", "-deps", "-f",
		"{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "./src/cmd/...").Output()
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	lines := slices.Compact(slices.Sorted(strings.Lines(string(out))))
	all := make([]module, 0, len(lines))
	for _, line := range lines {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
			all = append(all, module{f[0], f[1], f[2]})
		}
	}
	return all, nil
}
