package ptrace

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// pageSize is the unit in which memory can be missing; 4 KiB divides every page size that Linux has.
const pageSize = 4096

// Memory reads the memory of tracees. The zero value uses process_vm_readv(2) (Linux 3.2) until it is refused, as in
// Docker's default profile, and PTRACE_PEEKDATA after that.
type Memory struct{ refused bool }

// Read fills dst from a tracee's memory and gives the number of bytes that could be read from the beginning.
func (m *Memory) Read(tid int, address uint64, dst []byte) int {
	if len(dst) == 0 {
		return 0
	}
	if !m.refused {
		local := unix.Iovec{Base: &dst[0], Len: uint64(len(dst))}
		remote := [2]uint64{address, uint64(len(dst))}
		n, _, errno := unix.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(tid), uintptr(unsafe.Pointer(&local)), 1,
			uintptr(unsafe.Pointer(&remote)), 1, 0)
		switch errno {
		case 0:
			return int(n)
		case unix.EPERM, unix.ENOSYS:
			m.refused = true
		default:
			return 0
		}
	}
	return peek(tid, address, dst)
}

func peek(tid int, address uint64, dst []byte) int {
	done := 0
	for done < len(dst) {
		at := address + uint64(done)
		value, errno := word(tid, uintptr(at&^7))
		if errno != 0 {
			break
		}
		bytes := (*[8]byte)(unsafe.Pointer(&value))
		done += copy(dst[done:], bytes[at&7:])
	}
	return done
}

// String reads a NUL-terminated string into dst and gives its length; ok is false when it is not readable. A string
// longer than dst is cut.
func (m *Memory) String(tid int, address uint64, dst []byte) (n int, ok bool) {
	for n < len(dst) {
		chunk := min(pageSize-int((address+uint64(n))%pageSize), len(dst)-n, 256)
		got := m.Read(tid, address+uint64(n), dst[n:n+chunk])
		for i := n; i < n+got; i++ {
			if dst[i] == 0 {
				return i, true
			}
		}
		n += got
		if got < chunk {
			return n, false
		}
	}
	return n, true
}

// Write puts bytes into a tracee's memory and tells whether all of them are there.
func (m *Memory) Write(tid int, address uint64, src []byte) bool {
	local := unix.Iovec{Base: &src[0], Len: uint64(len(src))}
	remote := [2]uint64{address, uint64(len(src))}
	n, _, errno := unix.RawSyscall6(unix.SYS_PROCESS_VM_WRITEV, uintptr(tid), uintptr(unsafe.Pointer(&local)), 1,
		uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno == 0 {
		return int(n) == len(src)
	}
	return poke(tid, address, src)
}

// poke writes whole words: what stands behind the bytes in the last one is overwritten with zeros.
func poke(tid int, address uint64, src []byte) bool {
	for at := 0; at < len(src); at += 8 {
		var value [8]byte
		copy(value[:], src[at:])
		if call(unix.PTRACE_POKEDATA, tid, uintptr(address)+uintptr(at), uintptr(*(*uint64)(unsafe.Pointer(&value)))) != 0 {
			return false
		}
	}
	return true
}
