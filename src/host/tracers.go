package host

import (
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/ebpfless/ebpfless/src/procfs"
	"golang.org/x/sys/unix"
)

// tracerName is the program that tracers run, wherever an image has put it.
const tracerName = "cws-instrumentation"

// LoopName is the name (proc(5), comm) of a tracing loop.
const LoopName = "cws-loop"

// HolderName is the name (proc(5), comm) of a tracing loop whose tracer has left, and which passes on what it had attached to.
const HolderName = "cws-holder"

// Part tells by its name whether a process belongs to a tracer: a guardian, a loop, or one that is about to become such.
func Part(mount string, pid int) bool {
	name := nameOf(mount, pid)
	return name == tracerName[:15] || name == LoopName
}

// Loops tells by its name whether a process is a tracing loop.
func Loops(mount string, pid int) bool { return nameOf(mount, pid) == LoopName }

// nameOf is the name of a process as the kernel has it: 15 bytes at most; empty when it is gone.
func nameOf(mount string, pid int) string {
	name, err := os.ReadFile(mount + "/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(name), "\n")
}

// Holds tells whether a process is such a loop by its name. It reports nothing, and another tracer may take over from it.
func Holds(mount string, pid int) bool { return nameOf(mount, pid) == HolderName }

// Tracers recognizes our tracers and what they trace. It belongs to one goroutine.
type Tracers struct {
	mount string
	proc  procfs.Reader
}

// NewTracers reads the proc file system at a mount point.
func NewTracers(mount string) *Tracers {
	return &Tracers{mount: mount, proc: procfs.Reader{Mount: mount}}
}

// Is tells whether a process is a tracer. The name alone would let anybody hide as one: the file must be root's, and
// nobody else may write to it.
func (t *Tracers) Is(pid int) bool {
	exe := t.mount + "/" + strconv.Itoa(pid) + "/exe"
	program, err := os.Readlink(exe)
	return err == nil && path.Base(strings.TrimSuffix(program, " (deleted)")) == tracerName && RootsAlone(exe)
}

// RootsAlone tells whether a file is root's and nobody else may write to it.
func RootsAlone(file string) bool {
	var st unix.Stat_t
	return unix.Stat(file, &st) == nil && st.Uid == 0 && st.Mode&0o022 == 0
}

// Trace tells whether a process is traced by one of our tracers, which reports it.
func (t *Tracers) Trace(pid int) bool {
	var s procfs.Status
	return t.proc.Status(pid, &s) == 0 && s.TracerPID > 0 && t.Is(s.TracerPID) && !Holds(t.mount, s.TracerPID)
}
