package secl

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"gopkg.in/yaml.v3"
)

// maxPolicy is the largest policy file read, in bytes. The YAML library takes up to 50 bytes of memory for each.
const maxPolicy = 4 << 20

// Policy is one policy file, read but not yet judged.
type Policy struct {
	File    string // as given, for messages
	Name    string // the file's name
	Version string
	Type    string // "policy" or "content_pack"; may be empty
	Macros  []*MacroDef
	Rules   []*RuleDef

	Outcomes []Outcome // of rules, macros and keys that can't even be read

	looked map[*yaml.Node]error // by crowded
}

// Place is a line and column of a policy file, both from 1; 0 when unknown.
type Place struct{ Line, Column int }

// LoadDir reads the *.policy files of a directory: default.policy first, the others by name. A file that can't be
// read becomes a Policy without rules whose Outcomes say why; the error is for the directory itself.
func LoadDir(dir string) ([]*Policy, error) {
	names, err := policyNames(dir)
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	policies := make([]*Policy, 0, len(names))
	for _, name := range names {
		policies = append(policies, LoadFile(filepath.Join(dir, name)))
	}
	return policies, nil
}

func policyNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".policy") && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.SliceStable(names, func(i, j int) bool {
		return names[i] == "default.policy" && names[j] != "default.policy" ||
			names[j] != "default.policy" && names[i] < names[j]
	})
	return names, nil
}

// Fingerprint changes when a policy of a directory is made, written or removed, as far as sizes and times tell.
func Fingerprint(dir string) string {
	names, err := policyNames(dir)
	if err != nil {
		return err.Error()
	}
	var all strings.Builder
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			fmt.Fprintln(&all, name, err)
			continue
		}
		fmt.Fprintln(&all, name, info.Size(), info.ModTime().UnixNano())
	}
	return all.String()
}

// LoadFile reads one policy file. Problems are in the policy's Outcomes.
func LoadFile(path string) *Policy {
	content, err := readPolicy(path)
	if err != nil {
		p := &Policy{File: path, Name: filepath.Base(path)}
		p.fail(Outcome{Message: err.Error()})
		return p
	}
	return ParsePolicy(path, content)
}

func readPolicy(path string) ([]byte, error) {
	// A fifo or device named *.policy would block, already when it is opened, or never end.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read policy: %q is not a regular file", path)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxPolicy+1))
	if err != nil {
		return nil, fmt.Errorf("read policy: %w", err)
	}
	return content, nil
}

func (p *Policy) fail(o Outcome) {
	o.Policy, o.File, o.Status = p.Name, p.File, Failed
	p.Outcomes = append(p.Outcomes, o)
}
