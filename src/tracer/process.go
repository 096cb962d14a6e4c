package tracer

import (
	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// Forked implements watcher.
func (w *watch) Forked(child, parent int) {
	w.facts.Reset(event.Fork, uint32(child))
	w.facts.Num[record.NumPPID] = uint64(parent)
	w.write(&w.facts, nil)
}

// Ended implements watcher.
func (w *watch) Ended(pid int, stop ptrace.Stop) {
	w.facts.Reset(event.Exit, uint32(pid))
	code, cause := stop.Code, event.Exited
	if stop.Reason == ptrace.Killed {
		code, cause = stop.Signal, event.Signaled
		if stop.Core {
			cause = event.CoreDumped
		}
	}
	w.facts.Num[record.NumCode], w.facts.Num[record.NumCause] = uint64(code), uint64(cause)
	w.write(&w.facts, nil)
}

// Execed implements watcher: the truth about an execution is what the kernel has put in place, not what was asked for.
func (w *watch) Execed(t *shared.Task) { w.running(int(t.TID), 0) }

// Found reports a process that was running before it was attached to.
func (w *watch) Found(pid int) { w.running(pid, record.ExecFromProcFS) }

func (w *watch) running(pid int, flags uint64) {
	f := &w.facts
	f.Reset(event.Exec, uint32(pid))
	w.proc.Running(pid, w.strip(), f)
	f.Num[record.NumExecFlags] |= flags
	if flags&record.ExecFromProcFS == 0 {
		w.scriptInstead(pid, f)
	}
	w.forget(&f.File)
	var program record.Program
	w.program.Read(&w.proc, pid, &program)
	w.write(f, &program)
}

// scriptInstead makes a script the file that was executed, where /proc/PID/exe has its interpreter. The name that was
// executed lies in the new program's memory, which nobody can have changed yet.
func (w *watch) scriptInstead(pid int, f *record.Facts) {
	address := w.proc.ExecName(pid)
	if address == 0 {
		return
	}
	n, ok := w.tracee.String(pid, address, w.path[:])
	if !ok || n == 0 || string(w.path[:n]) == string(f.File.Path.Get()) {
		return // most programs are executed by their own name, which saves looking at each folder of it
	}
	w.proc.Resolve(pid, unix.AT_FDCWD, w.path[:n], true, &f.Destination)
	script := &f.Destination
	if script.Known && script.Inode != f.File.Inode && script.Mode&unix.S_IFMT == unix.S_IFREG &&
		string(script.Path.Get()) != string(f.File.Path.Get()) {
		f.File = *script
	}
	script.Reset()
}

// strip tells whether paths from /proc may be those of another root than the process's own.
func (w *watch) strip() bool { return w.control.Rooted != 0 }
