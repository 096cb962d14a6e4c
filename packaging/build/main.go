// Build makes the packages of packaging/nfpm out of what is compiled: every package for every architecture, as .deb and .rpm.
// Two builds of one commit are equal byte for byte; signatures are made afterwards, because they hold the time.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

var (
	dist    = flag.String("dist", "dist", "folder that holds bin/ARCH, man and completions, and gets the packages")
	version = flag.String("version", "", "version of the packages, with ~ before a pre-release")
	epoch   = flag.Int64("epoch", 0, "time of all files and of the build, seconds since 1970")
)

var (
	architectures = []string{"amd64", "arm64"}
	formats       = []string{"deb", "rpm"}
)

func main() {
	flag.Parse()
	if *version == "" || *epoch == 0 {
		fmt.Fprintln(os.Stderr, "build: -version and -epoch are needed; make packages gives them")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run() error {
	if err := writeNotices(filepath.Join(*dist, "notices")); err != nil {
		return err
	}
	if err := writeChangelog("CHANGELOG.md", filepath.Join(*dist, "changelog.yaml")); err != nil {
		return err
	}
	descriptions, err := filepath.Glob("packaging/nfpm/*.yaml")
	if err != nil || len(descriptions) == 0 {
		return fmt.Errorf("no packaging/nfpm/*.yaml: run this from the top of the sources (%v)", err)
	}
	for _, description := range descriptions {
		if err := describe(description); err != nil {
			return fmt.Errorf("%s: %w", description, err)
		}
	}
	return nil
}

// describe makes the packages of one description. One whose architecture is fixed ("all") is made once.
func describe(description string) error {
	for _, arch := range architectures {
		values := map[string]string{"ARCH": arch, "VERSION": *version, "DIST": *dist}
		config, err := nfpm.ParseFileWithEnvMapping(description, func(name string) string { return values[name] })
		if err != nil {
			return err
		}
		for _, format := range formats {
			if err := pack(config, format); err != nil {
				return fmt.Errorf("%s, %s: %w", config.Arch, format, err)
			}
		}
		if config.Arch == "all" {
			break
		}
	}
	return nil
}

// markDocumentation flags what lies in folders of documentation, as rpmbuild does: rpm can leave it out (--excludedocs).
func markDocumentation(contents files.Contents) {
	for _, c := range contents {
		if c.Type == "" && (strings.HasPrefix(c.Destination, "/usr/share/doc/") || strings.HasPrefix(c.Destination, "/usr/share/man/")) {
			c.Type = files.TypeRPMDoc
		}
	}
}

func pack(config nfpm.Config, format string) error {
	info, err := config.Get(format)
	if err != nil {
		return err
	}
	info = nfpm.WithDefaults(info)
	info.Changelog = filepath.Join(*dist, "changelog.yaml")
	info.MTime = time.Unix(*epoch, 0).UTC()
	if format == "rpm" {
		markDocumentation(info.Contents)
	}
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	info.Target = filepath.Join(*dist, packager.ConventionalFileName(info))
	file, err := os.Create(info.Target)
	if err != nil {
		return err
	}
	if err := packager.Package(info, file); err != nil {
		file.Close()
		os.Remove(info.Target)
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	fmt.Println(info.Target)
	return nil
}
