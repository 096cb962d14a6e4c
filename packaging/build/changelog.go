package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// entry is a release as packages tell of it (github.com/goreleaser/chglog).
type entry struct {
	Version string   `yaml:"semver"`
	Date    string   `yaml:"date"`
	Author  string   `yaml:"packager"`
	Changes []change `yaml:"changes"`
}

type change struct {
	Note string `yaml:"note"`
}

// writeChangelog turns the section of CHANGELOG.md on top, what this release brings, into the packages' changelog.
func writeChangelog(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	release := entry{Version: *version, Date: time.Unix(*epoch, 0).UTC().Format(time.RFC3339), Author: "The ebpfless authors <ebpfless@users.noreply.github.com>"}
	sections := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "## ") {
			sections++
		}
		if sections != 1 {
			continue
		}
		if note, found := strings.CutPrefix(line, "- "); found {
			release.Changes = append(release.Changes, change{note})
		} else if rest, found := strings.CutPrefix(line, "  "); found && len(release.Changes) > 0 {
			release.Changes[len(release.Changes)-1].Note += " " + rest
		}
	}
	if len(release.Changes) == 0 {
		return fmt.Errorf("%s has no changes in its first section", from)
	}
	out, err := yaml.Marshal([]entry{release})
	if err != nil {
		return err
	}
	return os.WriteFile(to, out, 0o644)
}
