package procfs

import (
	"bytes"
	"encoding/binary"

	"github.com/ebpfless/ebpfless/src/record"
	"golang.org/x/sys/unix"
)

// Limits of what is reported of a program's arguments and environment, so that a message stays below the 256 KiB that
// a probe reads.
const (
	maxEntries   = 356      // entries of each list
	maxEntry     = 356      // bytes of one entry; a longer one is cut and ends in "..."
	maxList      = 64 << 10 // bytes of one list
	maxScan      = 8 << 20  // bytes that are read at all, above the kernel's own limit of 6 MiB
	executableAt = 31       // AT_EXECFN of getauxval(3)
)

// reported are the variables whose values are part of an event; of the others only the names are, since values hold
// secrets.
var reported = [...]string{
	"LD_PRELOAD", "LD_LIBRARY_PATH", "PATH", "HISTSIZE", "HISTFILESIZE", "HISTFILE", "GLIBC_TUNABLES", "SSH_CLIENT",
	"LD_AUDIT", "DD_SERVICE", "OTEL_SERVICE_NAME", "CLAUDECODE", "RUNNER_TRACKING_ID",
}

// ProgramReader reads argument lists and environments into buffers of its own.
type ProgramReader struct {
	chunk [4096]byte
	entry [maxEntry]byte
	args  [maxList]byte
	envs  [maxList]byte
}

// Read fills in what /proc/TID has of a program's arguments and environment. The slices stay the reader's and are valid
// until the next call.
func (pr *ProgramReader) Read(r *Reader, tid int, p *record.Program) {
	p.Args, p.ArgsTruncated = pr.list(r, tid, "cmdline", pr.args[:0], whole)
	p.Envs, p.EnvsTruncated = pr.list(r, tid, "environ", pr.envs[:0], nameOnly)
}

// keep says how much of an entry is reported, and whether it is even after the list is full.
type keep func(entry []byte) (kept []byte, always bool)

func whole(entry []byte) ([]byte, bool) { return entry, false }

func nameOnly(entry []byte) ([]byte, bool) {
	i := bytes.IndexByte(entry, '=')
	if i < 0 {
		return entry, false
	}
	for _, name := range reported {
		if string(entry[:i]) == name {
			return entry, true
		}
	}
	return entry[:i], false
}

// list reads a NUL-separated file. Variables that are always kept are found behind any number of others.
func (pr *ProgramReader) list(r *Reader, tid int, name string, dst []byte, keep keep) ([]byte, bool) {
	fd, errno := openat(unix.AT_FDCWD, r.proc(tid, name, -1), unix.O_RDONLY)
	if errno != 0 {
		return dst, false
	}
	defer closeFd(fd)
	l := lister{dst: dst, keep: keep, entry: pr.entry[:0]}
	for scanned := 0; scanned < maxScan; {
		n, errno := read(fd, pr.chunk[:])
		if errno != 0 || n == 0 {
			break
		}
		scanned += n
		l.feed(pr.chunk[:n])
	}
	if len(l.entry) > 0 {
		l.end()
	}
	return l.dst, l.truncated
}

// lister collects the entries of a list that arrives in pieces.
type lister struct {
	dst       []byte
	keep      keep
	entry     []byte
	cut       bool
	count     int
	truncated bool
}

func (l *lister) feed(piece []byte) {
	for len(piece) > 0 {
		i := bytes.IndexByte(piece, 0)
		part := piece
		if i >= 0 {
			part = piece[:i]
		}
		room := cap(l.entry) - len(l.entry)
		l.cut = l.cut || len(part) > room
		l.entry = append(l.entry, part[:min(len(part), room)]...)
		if i < 0 {
			return
		}
		l.end()
		piece = piece[i+1:]
	}
}

// end takes over the entry that is complete.
func (l *lister) end() {
	if l.cut {
		copy(l.entry[len(l.entry)-4:], "... ")
		l.entry = l.entry[:len(l.entry)-1]
	}
	kept, always := l.keep(l.entry)
	l.truncated = l.truncated || l.cut && len(kept) == len(l.entry)
	full := len(l.dst)+len(kept)+1 > cap(l.dst)
	if full || l.count >= maxEntries && !always {
		l.truncated = true
	} else {
		l.dst = append(append(l.dst, kept...), 0)
		l.count++
	}
	l.entry, l.cut = l.entry[:0], false
}

// Running fills in what a process runs: the executable, its terminal, its parent and its ids.
func (r *Reader) Running(pid int, strip bool, f *record.Facts) unix.Errno {
	errno := r.Executable(pid, strip, &f.File)
	r.Terminal(pid, &f.Text[0])
	var s Status
	if r.Status(pid, &s) == 0 {
		f.Num = [6]uint64{uint64(s.PPID), uint64(s.UID), uint64(s.EUID), uint64(s.GID), uint64(s.EGID), record.ExecHasIDs}
	}
	return errno
}

// ExecName reads the address of the name by which a program was executed from its auxiliary vector (AT_EXECFN); for a
// script that is the script, where exe is the interpreter. 0 when there is none.
func (r *Reader) ExecName(tid int) uint64 {
	n, errno := r.File(tid, "auxv", r.text[:2048])
	if errno != 0 {
		return 0
	}
	return auxiliary(r.text[:n], executableAt)
}

// auxiliary finds a value in a vector of 64-bit or 32-bit pairs: in the latter the first type and value read as one
// 64-bit number are larger than any type.
func auxiliary(vector []byte, key uint64) uint64 {
	if len(vector) < 16 {
		return 0
	}
	if binary.NativeEndian.Uint64(vector) < 1<<16 {
		for ; len(vector) >= 16; vector = vector[16:] {
			if binary.NativeEndian.Uint64(vector) == key {
				return binary.NativeEndian.Uint64(vector[8:])
			}
		}
		return 0
	}
	for ; len(vector) >= 8; vector = vector[8:] {
		if uint64(binary.NativeEndian.Uint32(vector)) == key {
			return uint64(binary.NativeEndian.Uint32(vector[4:]))
		}
	}
	return 0
}

// Terminal names the terminal on a process's standard input as events do: "pts3" for /dev/pts/3, "tty1" for /dev/tty1,
// nothing for anything else.
func (r *Reader) Terminal(tid int, dst *record.Text) {
	n, errno := r.FdLink(tid, 0, r.link[:])
	link := r.link[:n]
	if errno != 0 || !bytes.HasPrefix(link, []byte("/dev/")) || string(link) == "/dev/null" {
		return
	}
	if pts := []byte("/dev/pts/"); bytes.HasPrefix(link, pts) {
		link = append(link[:len("/dev/pts")], link[len(pts):]...)
	}
	dst.Set(link[len("/dev/"):])
}
