package procfs

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// Status is what /proc/TID/status says; a field that a kernel doesn't write stays 0.
type Status struct {
	TGID, PPID, TracerPID int
	UID, EUID, GID, EGID  uint32
	Permitted             uint64 // capabilities
	Seccomp               int    // mode: 1 strict, 2 a filter (Linux 3.8)
	NoNewPrivs            bool   // Linux 4.10
}

// Status reads /proc/TID/status.
func (r *Reader) Status(tid int, s *Status) unix.Errno {
	n, errno := r.File(tid, "status", r.text[:])
	if errno != 0 {
		return errno
	}
	*s = parseStatus(r.text[:n])
	return 0
}

func parseStatus(text []byte) (s Status) {
	for len(text) > 0 {
		line := text
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			continue
		}
		rest := line[colon+1:]
		switch string(line[:colon]) {
		case "Tgid":
			s.TGID = int(number(&rest))
		case "PPid":
			s.PPID = int(number(&rest))
		case "TracerPid":
			s.TracerPID = int(number(&rest))
		case "Uid":
			s.UID, s.EUID = number(&rest), number(&rest)
		case "CapPrm":
			s.Permitted, _ = strconv.ParseUint(string(bytes.TrimSpace(rest)), 16, 64)
		case "Seccomp":
			s.Seccomp = int(number(&rest))
		case "NoNewPrivs":
			s.NoNewPrivs = number(&rest) != 0
		case "Gid":
			s.GID, s.EGID = number(&rest), number(&rest)
		}
	}
	return s
}

// number reads the next decimal number and leaves what follows it.
func number(text *[]byte) uint32 {
	b := bytes.TrimLeft(*text, " \t")
	n, i := uint32(0), 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + uint32(b[i]-'0')
		i++
	}
	*text = b[i:]
	return n
}

// State gives the one letter that /proc/TID/stat has for the state of a thread, 0 when it is gone.
func (r *Reader) State(tid int) byte {
	n, errno := r.File(tid, "stat", r.text[:512])
	if errno != 0 {
		return 0
	}
	// The name in parentheses may hold anything, a closing parenthesis too.
	i := bytes.LastIndexByte(r.text[:n], ')')
	if i < 0 || i+2 >= n {
		return 0
	}
	return r.text[i+2]
}

// ticks is USER_HZ: what the kernel shows its users has been 100 a second on every architecture that this runs on.
const ticks = 100

// Started is when a process began, in nanoseconds since the epoch and within a hundredth of a second; 0 when it is gone.
func (r *Reader) Started(pid int) uint64 {
	value, ok := r.stat(pid, 22)
	if !ok {
		return 0
	}
	return booted() + value*(1e9/ticks)
}

// InnermostPID is a process's number in the innermost of its pid namespaces (NSpid of /proc/PID/status, Linux 4.1), 0 when it
// can't be told.
func (r *Reader) InnermostPID(pid int) uint32 {
	n, errno := r.File(pid, "status", r.text[:])
	if errno != 0 {
		return 0
	}
	_, rest, found := bytes.Cut(r.text[:n], []byte("\nNSpid:"))
	if !found {
		return 0
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	numbers := bytes.Fields(line)
	if len(numbers) == 0 {
		return 0
	}
	last, err := strconv.ParseUint(string(numbers[len(numbers)-1]), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(last)
}

// Identity tells a process from another that gets its pid later: it is the same number as long as the process lives, however
// the clock is set meanwhile, and 0 when it is gone.
func (r *Reader) Identity(pid int) uint64 {
	value, ok := r.stat(pid, 22)
	if !ok {
		return 0
	}
	return value + 1 // what began with the kernel has 0 ticks
}

// Processor is the number of the one that a thread runs on, or did last; -1 when it is gone.
func (r *Reader) Processor(tid int) int {
	value, ok := r.stat(tid, 39)
	if !ok {
		return -1
	}
	return int(value)
}

// stat reads a field of /proc/TID/stat that is a number, as proc(5) counts them; the name, which may hold blanks, is the
// second.
func (r *Reader) stat(tid, field int) (value uint64, ok bool) {
	n, errno := r.File(tid, "stat", r.text[:1024])
	if errno != 0 {
		return 0, false
	}
	rest := r.text[bytes.LastIndexByte(r.text[:n], ')')+1 : n]
	for range field - 3 { // the first behind the name is the third
		rest = bytes.TrimLeft(rest, " ")
		i := bytes.IndexByte(rest, ' ')
		if i < 0 {
			return 0, false
		}
		rest = rest[i:]
	}
	for _, digit := range bytes.TrimLeft(rest, " ") {
		if digit < '0' || digit > '9' {
			break
		}
		value = value*10 + uint64(digit-'0')
	}
	return value, true
}

// booted is the moment of the boot, in nanoseconds since the epoch.
func booted() uint64 {
	var now, up unix.Timespec
	unix.ClockGettime(unix.CLOCK_REALTIME, &now)
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &up)
	// Two readings of two clocks differ by some microseconds each time: round to what the kernel's own unit allows.
	const unit = 1e9 / ticks
	return (nanoseconds(now) - nanoseconds(up)) / unit * unit
}

// PidOfDescriptor gives the process that a pidfd refers to, 0 when it is none (Linux 5.4 writes it into fdinfo).
func (r *Reader) PidOfDescriptor(tid, fd int) int {
	handle, errno := openat(unix.AT_FDCWD, r.proc(tid, "fdinfo", fd), unix.O_RDONLY)
	if errno != 0 {
		return 0
	}
	defer closeFd(handle)
	n, errno := read(handle, r.text[:512])
	if errno != 0 {
		return 0
	}
	key := []byte("\nPid:")
	i := bytes.Index(r.text[:n], key)
	if i < 0 {
		return 0
	}
	rest := r.text[i+len(key) : n]
	return int(number(&rest))
}

// PIDNamespace is the inode of this process's pid namespace (Linux 3.8), 0 where it can't be told.
func (r *Reader) PIDNamespace() uint64 { return r.NamespaceOf(0) }

// NamespaceOf is the inode of a process's pid namespace (Linux 3.8), 0 where it can't be told.
func (r *Reader) NamespaceOf(pid int) uint64 {
	var st unix.Stat_t
	if statat(unix.AT_FDCWD, r.proc(pid, "ns/pid", -1), 0, &st) != 0 {
		return 0
	}
	return st.Ino
}
