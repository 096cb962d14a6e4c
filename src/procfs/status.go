package procfs

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// Status is what /proc/TID/status says; a field that a kernel doesn't write stays 0.
type Status struct {
	TGID, PPID, TracerPID int
	UID, EUID, GID, EGID  uint32
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
func (r *Reader) PIDNamespace() uint64 {
	var st unix.Stat_t
	if statat(unix.AT_FDCWD, r.proc(0, "ns/pid", -1), 0, &st) != 0 {
		return 0
	}
	return st.Ino
}
