package host

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// Package is an installed package of the distribution.
type Package struct {
	Name, Version, Release       string
	SourceVersion, SourceRelease string
	Epoch, SourceEpoch           int64
}

// Packages knows which package each file of the host comes from, by the database of dpkg or rpm. It is safe for concurrent
// use.
type Packages struct {
	root  string
	log   *logrus.Entry
	from  []database
	index atomic.Pointer[packageIndex]
}

// database is one package manager's.
type database struct {
	name  string
	state func() string // changes when packages do; empty: there is none
	list  func(add func(Package, []string)) error
}

// NewPackages prepares to read the databases below a root, empty for /. Nothing is known before Load.
func NewPackages(root string, log *logrus.Entry) *Packages {
	return &Packages{root: root, log: log, from: []database{dpkg(root), rpm(root)}}
}

// Of gives the package that a file comes from, nil for none. The inode, where it is known, must be that of the path's file
// here and now: paths of other roots and mount namespaces look the same.
func (p *Packages) Of(path string, inode uint64) *Package {
	found := p.index.Load().find(path)
	if found == nil || inode == 0 {
		return found
	}
	var st unix.Stat_t
	if unix.Stat(p.root+path, &st) != nil || st.Ino != inode {
		return nil
	}
	return found
}

// Load reads the databases; what can't be read is told and left out.
func (p *Packages) Load() {
	x := newPackageIndex()
	for _, d := range p.from {
		state := d.state()
		x.states = append(x.states, state)
		if state == "" {
			continue
		}
		if err := d.list(x.add); err != nil {
			p.log.Warnf("%s's packages can't be read, so that *.file.package of rules stays empty: %v", d.name, err)
		}
	}
	x.finish()
	p.index.Store(x)
}

// packagesEvery is how often Watch looks whether packages have changed. Reading them takes a twentieth of a processor at
// most.
const (
	packagesEvery = 2 * time.Second
	packagesShare = 20
)

// Watch loads the databases, unless they are loaded, and again whenever packages change, until done is closed.
func (p *Packages) Watch(done <-chan struct{}) {
	for {
		begun := time.Now()
		if !p.fresh() {
			p.Load()
		}
		select {
		case <-done:
			return
		case <-time.After(max(packagesEvery, packagesShare*time.Since(begun))):
		}
	}
}

func (p *Packages) fresh() bool {
	x := p.index.Load()
	if x == nil {
		return false
	}
	for i, d := range p.from {
		if x.states[i] != d.state() {
			return false
		}
	}
	return true
}

// packageIndex finds packages by paths, of which it keeps only hashes: 12 bytes a file. Their seed is random, so that nobody
// can make a path that is taken for another.
type packageIndex struct {
	seed     maphash.Seed
	states   []string // of the databases when they were read
	packages []Package
	files    []ownedFile // by hash
}

type ownedFile struct {
	hash  uint64
	owner uint32
}

func newPackageIndex() *packageIndex { return &packageIndex{seed: maphash.MakeSeed()} }

func (x *packageIndex) add(p Package, files []string) {
	x.packages = append(x.packages, p)
	for _, path := range files {
		x.files = append(x.files, ownedFile{maphash.String(x.seed, path), uint32(len(x.packages) - 1)})
	}
}

func (x *packageIndex) finish() {
	slices.SortStableFunc(x.files, func(a, b ownedFile) int { return cmp.Compare(a.hash, b.hash) })
	x.files = slices.Clip(slices.CompactFunc(x.files, func(a, b ownedFile) bool { return a.hash == b.hash }))
}

func (x *packageIndex) find(path string) *Package {
	if x == nil || path == "" {
		return nil
	}
	i, found := slices.BinarySearchFunc(x.files, maphash.String(x.seed, path), func(f ownedFile, hash uint64) int { return cmp.Compare(f.hash, hash) })
	if !found {
		return nil
	}
	return &x.packages[x.files[i].owner]
}

// stateOf is the time and size of the first of a database's files that is there, empty where none is.
func stateOf(paths ...string) string {
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			return fmt.Sprint(path, info.ModTime().UnixNano(), info.Size())
		}
	}
	return ""
}
