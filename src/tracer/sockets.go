package tracer

import (
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// maxAddress is sizeof(struct sockaddr_storage).
const maxAddress = 128

// connected leaves out AF_UNIX and AF_UNSPEC: they lead nowhere that a rule could name.
func (w *watch) connected(m *moment, f *record.Facts) bool {
	family := w.address(m, int(uint32(m.arg(syscalls.Length))), f)
	w.protocol(m, int(int32(m.arg(syscalls.FD))), f)
	return family == unix.AF_INET || family == unix.AF_INET6
}

func (w *watch) bound(m *moment, f *record.Facts) bool {
	if family := w.address(m, int(uint32(m.arg(syscalls.Length))), f); family == unix.AF_INET || family == unix.AF_INET6 {
		w.protocol(m, int(int32(m.arg(syscalls.FD))), f)
	}
	return f.Num[record.NumFamily] != 0
}

// accepted reports the peer's address, which is there only if the application asked for it.
func (w *watch) accepted(m *moment, f *record.Facts) bool {
	var length [1]uint64
	if at := m.arg(syscalls.Length); at != 0 && w.words(m, at, length[:], 4) {
		w.address(m, int(uint32(length[0])), f)
	}
	if m.result >= 0 {
		w.protocol(m, int(m.result), f)
	}
	return true
}

// address reads struct sockaddr: the family in native, the port in network byte order.
func (w *watch) address(m *moment, length int, f *record.Facts) int {
	var raw [maxAddress]byte
	at := m.arg(syscalls.Address)
	n := min(max(length, 0), maxAddress)
	if at == 0 || n < 2 || w.tracee.Read(m.tid(), at, raw[:n]) != n {
		return 0
	}
	family := int(order.Uint16(raw[:]))
	f.Num[record.NumFamily] = uint64(family)
	port := uint64(raw[2])<<8 | uint64(raw[3])
	switch {
	case family == unix.AF_INET && n >= 8:
		f.Num[record.NumPort] = port
		f.Text[0].Set(raw[4:8])
	case family == unix.AF_INET6 && n >= 24:
		f.Num[record.NumPort] = port
		f.Text[0].Set(raw[8:24])
	}
	return family
}

// protocols are the names that the kernel gives to sockets, and IPPROTO_* of each.
var protocols = map[string]sock{
	"TCP": {unix.AF_INET, 6, unix.SOCK_STREAM}, "TCPv6": {unix.AF_INET6, 6, unix.SOCK_STREAM},
	"UDP": {unix.AF_INET, 17, unix.SOCK_DGRAM}, "UDPv6": {unix.AF_INET6, 17, unix.SOCK_DGRAM},
	"UDP-Lite": {unix.AF_INET, 136, unix.SOCK_DGRAM}, "UDPLITEv6": {unix.AF_INET6, 136, unix.SOCK_DGRAM},
	"PING": {unix.AF_INET, 1, unix.SOCK_DGRAM}, "PINGv6": {unix.AF_INET6, 58, unix.SOCK_DGRAM},
	"RAW": {unix.AF_INET, 255, unix.SOCK_RAW}, "RAWv6": {unix.AF_INET6, 255, unix.SOCK_RAW},
	"SCTP": {unix.AF_INET, 132, unix.SOCK_STREAM}, "SCTPv6": {unix.AF_INET6, 132, unix.SOCK_STREAM},
	"MPTCP": {unix.AF_INET, 6, unix.SOCK_STREAM}, "MPTCPv6": {unix.AF_INET6, 6, unix.SOCK_STREAM},
	"UNIX": {unix.AF_UNIX, 0, 0}, "UNIX-STREAM": {unix.AF_UNIX, 0, unix.SOCK_STREAM}, "NETLINK": {unix.AF_NETLINK, 0, unix.SOCK_RAW},
	"PACKET": {unix.AF_PACKET, 0, unix.SOCK_RAW},
}

// sock is what can be told of a socket by its name.
type sock struct{ family, protocol, kind uint64 }

// socket asks the kernel what a descriptor's socket is, which saves following socket(2), dup(2) and close(2).
func (w *watch) socket(m *moment, fd int) sock {
	n := w.proc.SocketName(m.tid(), fd, w.path[:64])
	return protocols[string(w.path[:n])]
}

func (w *watch) protocol(m *moment, fd int, f *record.Facts) {
	s := w.socket(m, fd)
	f.Num[record.NumProtocol] = s.protocol
	if f.Num[record.NumFamily] == 0 {
		f.Num[record.NumFamily] = s.family
	}
}

// setOption carries the program of SO_ATTACH_FILTER in the room of the path.
func (w *watch) setOption(m *moment, f *record.Facts) bool {
	level, option := uint32(m.arg(syscalls.Level)), uint32(m.arg(syscalls.Option))
	s := w.socket(m, int(int32(m.arg(syscalls.FD))))
	f.Num = [6]uint64{s.family, 0, s.protocol, s.kind, uint64(level)<<32 | uint64(option), 0}
	if level == unix.SOL_SOCKET && option == unix.SO_ATTACH_FILTER {
		w.socketFilter(m, f)
	}
	return true
}

// socketFilter reads struct sock_fprog and the instructions of 8 bytes that it points to.
func (w *watch) socketFilter(m *moment, f *record.Facts) {
	size := m.abi().PointerSize()
	var program [2]uint64
	if !w.words(m, m.arg(syscalls.Value), program[:], size) {
		return
	}
	count := uint16(program[0])
	f.Num[record.NumFilterLen] = uint64(count)
	n := w.tracee.Read(m.tid(), program[1], w.path[:min(int(count)*8, len(w.path))])
	f.File.Path.Set(w.path[:n])
}

func (w *watch) madeSocket(m *moment, f *record.Facts) bool {
	f.Num[record.NumDomain], f.Num[record.NumSocketType] = m.arg(syscalls.Domain), m.arg(syscalls.Type)
	f.Num[record.NumProtocol] = m.arg(syscalls.Protocol)
	return true
}

// direct are the numbers of the calls behind socketcall(2).
var direct = func() map[*syscalls.Row]uint32 {
	numbers := map[*syscalls.Row]uint32{}
	for _, n := range syscalls.Numbers(syscalls.I386) {
		numbers[n.Row] = n.NR
	}
	return numbers
}()

// unpackSocketcall turns a task's socketcall into the call behind it, as if it had been made directly. accept has no
// number of its own on i386 and becomes accept4, which has the same arguments in front.
func (w *watch) unpackSocketcall(t *shared.Task, args *[6]uint64) *syscalls.Row {
	row := syscalls.BehindSocketcall(uint32(args[0]))
	if row == nil {
		return nil
	}
	var behind [6]uint64
	m := moment{task: t, row: row, args: args}
	if !w.words(&m, args[1], behind[:3], 4) {
		return nil
	}
	if row.Call == syscalls.Setsockopt {
		w.words(&m, args[1], behind[:5], 4)
	}
	if row.Call == syscalls.Accept {
		row = syscalls.BehindSocketcall(sysAccept4)
	}
	*args = behind
	t.Number = direct[row]
	return row
}

// sysAccept4 is SYS_ACCEPT4 of linux/net.h.
const sysAccept4 = 18
