package procfs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// socketName is the attribute in which a socket's file holds the name of its protocol (net/socket.c).
var socketName = []byte("system.sockprotoname\x00")

// SocketName reads the protocol's name of a socket, such as TCP or UDPv6, into dst; 0 when it is no socket.
func (r *Reader) SocketName(tid, fd int, dst []byte) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_GETXATTR, uintptr(unsafe.Pointer(r.proc(tid, "fd", fd))),
		uintptr(unsafe.Pointer(&socketName[0])), uintptr(unsafe.Pointer(&dst[0])), uintptr(len(dst)), 0, 0)
	if errno != 0 {
		return 0
	}
	for n > 0 && dst[n-1] == 0 {
		n--
	}
	return int(n)
}
