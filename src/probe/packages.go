package probe

import (
	"strings"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/secl"
)

// packageLookup gives the package that a file of the host comes from, nil for none.
type packageLookup func(path string, inode uint64) *host.Package

// Packages sets who knows packages. Call it before the first event.
func (e *Engine) Packages(lookup func(path string, inode uint64) *host.Package) { e.packages = lookup }

// AsksForPackages tells whether a rule in force asks which package a file comes from.
func (e *Engine) AsksForPackages() bool {
	for _, r := range e.ruleSet().Rules {
		for _, field := range r.Program.Fields {
			if strings.Contains(field, ".package.") {
				return true
			}
		}
	}
	return false
}

// packageOf is for files of the host: a container has packages of its own.
func (c *Context) packageOf(f *event.File) *host.Package {
	if c.packages == nil || c.Process.ContainerID != "" {
		return nil
	}
	return c.packages(f.Path, f.Inode)
}

func packageString(name string, get func(*host.Package) string) fileGetter {
	return secl.String("package."+name, func(c *Context, f *event.File) string {
		if p := c.packageOf(f); p != nil {
			return get(p)
		}
		return ""
	})
}

func packageInt(name string, get func(*host.Package) int64) fileGetter {
	return secl.Int("package."+name, func(c *Context, f *event.File) int64 {
		if p := c.packageOf(f); p != nil {
			return get(p)
		}
		return 0
	})
}

// tellPackages says it of the files that a detection shows.
func (c *Context) tellPackages(d *Detection) {
	program := &c.Process.Program.File
	c.tellPackage(d.Process.Executable, program)
	if c.Process.Parent != nil {
		c.tellPackage(d.Process.Parent.Executable, &c.Process.Parent.Program.File)
	}
	for i, a := 0, c.Process.Parent; i < len(d.Process.Ancestors); i, a = i+1, a.Parent {
		c.tellPackage(d.Process.Ancestors[i].Executable, &a.Program.File)
	}
	switch {
	case d.File == nil:
	case c.Event.Kind == event.Exec || c.Event.Kind == event.Exit:
		c.tellPackage(d.File, program)
	default:
		c.tellPackage(d.File, &c.Event.File)
		if to := d.File.Destination; to != nil && to.Path != "" {
			c.tellPackage(to, &c.Event.Destination)
		}
	}
}

// tellPackage says where a file comes from; doc is what a detection shows of it, nil for nothing.
func (c *Context) tellPackage(doc *fileDoc, f *event.File) {
	if doc == nil {
		return
	}
	if p := c.packageOf(f); p != nil {
		doc.PackageName, doc.PackageEpoch, doc.PackageVersion, doc.PackageRelease = p.Name, p.Epoch, p.Version, p.Release
		doc.PackageSourceEpoch, doc.PackageSourceVersion, doc.PackageSourceRelease = p.SourceEpoch, p.SourceVersion, p.SourceRelease
	}
}

// packagesIn gives back the packages that a detection tells of.
func packagesIn(docs ...*fileDoc) packageLookup {
	known := map[string]*host.Package{}
	for _, d := range docs {
		if d != nil && d.PackageName != "" {
			known[d.Path] = &host.Package{
				Name: d.PackageName, Version: d.PackageVersion, Release: d.PackageRelease, Epoch: d.PackageEpoch,
				SourceVersion: d.PackageSourceVersion, SourceRelease: d.PackageSourceRelease, SourceEpoch: d.PackageSourceEpoch,
			}
		}
	}
	return func(path string, _ uint64) *host.Package { return known[path] }
}

// fileDocs are the files that tellPackages tells of.
func (d *Detection) fileDocs() []*fileDoc {
	docs := []*fileDoc{d.File}
	if d.File != nil {
		docs = append(docs, d.File.Destination)
	}
	if p := d.Process; p != nil {
		docs = append(docs, p.Executable)
		if p.Parent != nil {
			docs = append(docs, p.Parent.Executable)
		}
		for _, a := range p.Ancestors {
			if a != nil {
				docs = append(docs, a.Executable)
			}
		}
	}
	return docs
}
