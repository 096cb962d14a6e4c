package probe

import (
	"strconv"

	"github.com/ebpfless/ebpfless/src/event"
	"golang.org/x/sys/unix"
)

// named is a constant as events spell it.
type named struct {
	name string
	bits uint64
}

// openFlags, combined ones before their parts.
var openFlags = []named{
	{"O_TMPFILE", unix.O_TMPFILE}, {"O_SYNC", unix.O_SYNC}, {"O_WRONLY", unix.O_WRONLY}, {"O_RDWR", unix.O_RDWR},
	{"O_CREAT", unix.O_CREAT}, {"O_EXCL", unix.O_EXCL}, {"O_NOCTTY", unix.O_NOCTTY}, {"O_TRUNC", unix.O_TRUNC},
	{"O_APPEND", unix.O_APPEND}, {"O_NONBLOCK", unix.O_NONBLOCK}, {"O_DSYNC", unix.O_DSYNC}, {"O_ASYNC", unix.O_ASYNC},
	{"O_DIRECT", unix.O_DIRECT}, {"O_LARGEFILE", 0o100000}, {"O_DIRECTORY", unix.O_DIRECTORY},
	{"O_NOFOLLOW", unix.O_NOFOLLOW}, {"O_NOATIME", unix.O_NOATIME}, {"O_CLOEXEC", unix.O_CLOEXEC}, {"O_PATH", unix.O_PATH},
}

// namesOf splits flags into names; what has none stays a number.
func namesOf(table []named, value uint64) []string {
	var names []string
	for _, n := range table {
		if n.bits != 0 && value&n.bits == n.bits {
			names = append(names, n.name)
			value &^= n.bits
		}
	}
	if value != 0 {
		names = append(names, "0x"+strconv.FormatUint(value, 16))
	}
	return names
}

func openFlagNames(flags uint32) []string {
	if flags&unix.O_ACCMODE == unix.O_RDONLY {
		return append([]string{"O_RDONLY"}, namesOf(openFlags, uint64(flags))...)
	}
	return namesOf(openFlags, uint64(flags))
}

// capabilities by number, as capabilities(7) lists them.
var capabilities = [...]string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
	"CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN",
	"CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
	"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
}

func capabilityNames(mask uint64) []string {
	names := []string{} // required: [] and not null
	for i, name := range capabilities {
		if mask&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// nameIn gives the name of a number, or the number.
func nameIn(table map[int64]string, value int64) string {
	if name := table[value]; name != "" {
		return name
	}
	return strconv.FormatInt(value, 10)
}

var exitCauses = map[int64]string{
	int64(event.Exited): "EXITED", int64(event.CoreDumped): "COREDUMPED", int64(event.Signaled): "SIGNALED",
}

var families = map[int64]string{
	unix.AF_UNSPEC: "AF_UNSPEC", unix.AF_UNIX: "AF_UNIX", unix.AF_INET: "AF_INET", unix.AF_INET6: "AF_INET6",
	unix.AF_NETLINK: "AF_NETLINK", unix.AF_PACKET: "AF_PACKET", unix.AF_ALG: "AF_ALG", unix.AF_VSOCK: "AF_VSOCK",
	unix.AF_XDP: "AF_XDP", unix.AF_KEY: "AF_KEY", unix.AF_BLUETOOTH: "AF_BLUETOOTH", unix.AF_CAN: "AF_CAN",
}

var protocols = map[int64]string{
	0: "IP_PROTO_IP", 1: "IP_PROTO_ICMP", 2: "IP_PROTO_IGMP", 6: "IP_PROTO_TCP", 17: "IP_PROTO_UDP",
	58: "IP_PROTO_ICMPV6", 132: "IP_PROTO_SCTP", 136: "IP_PROTO_UDPLITE", 255: "IP_PROTO_RAW",
}

var socketTypes = map[int64]string{
	unix.SOCK_STREAM: "SOCK_STREAM", unix.SOCK_DGRAM: "SOCK_DGRAM", unix.SOCK_RAW: "SOCK_RAW", unix.SOCK_SEQPACKET: "SOCK_SEQPACKET",
}

var levels = map[int64]string{
	unix.SOL_SOCKET: "SOL_SOCKET", unix.IPPROTO_IP: "IPPROTO_IP", unix.IPPROTO_TCP: "IPPROTO_TCP",
	unix.IPPROTO_UDP: "IPPROTO_UDP", unix.IPPROTO_IPV6: "IPPROTO_IPV6", unix.IPPROTO_ICMPV6: "IPPROTO_ICMPV6",
}

var socketOptions = map[int64]string{
	unix.SO_REUSEADDR: "SO_REUSEADDR", unix.SO_KEEPALIVE: "SO_KEEPALIVE", unix.SO_ATTACH_FILTER: "SO_ATTACH_FILTER",
	unix.SO_REUSEPORT: "SO_REUSEPORT", unix.SO_BROADCAST: "SO_BROADCAST", unix.SO_RCVBUF: "SO_RCVBUF", unix.SO_SNDBUF: "SO_SNDBUF",
	unix.SO_LINGER: "SO_LINGER", unix.SO_PASSCRED: "SO_PASSCRED", unix.SO_BINDTODEVICE: "SO_BINDTODEVICE", unix.SO_MARK: "SO_MARK",
}

var prctlOptions = map[int64]string{
	unix.PR_SET_NAME: "PR_SET_NAME", unix.PR_SET_DUMPABLE: "PR_SET_DUMPABLE", unix.PR_SET_PDEATHSIG: "PR_SET_PDEATHSIG",
	unix.PR_SET_MM: "PR_SET_MM", unix.PR_SET_VMA: "PR_SET_VMA", unix.PR_SET_PTRACER: "PR_SET_PTRACER",
	unix.PR_SET_SECCOMP: "PR_SET_SECCOMP", unix.PR_SET_NO_NEW_PRIVS: "PR_SET_NO_NEW_PRIVS", unix.PR_CAP_AMBIENT: "PR_CAP_AMBIENT",
	unix.PR_SET_KEEPCAPS: "PR_SET_KEEPCAPS", unix.PR_CAPBSET_DROP: "PR_CAPBSET_DROP", unix.PR_GET_NAME: "PR_GET_NAME",
	unix.PR_SET_CHILD_SUBREAPER: "PR_SET_CHILD_SUBREAPER", unix.PR_SET_SECUREBITS: "PR_SET_SECUREBITS", unix.PR_SET_THP_DISABLE: "PR_SET_THP_DISABLE",
}

var ptraceRequests = map[int64]string{
	unix.PTRACE_TRACEME: "PTRACE_TRACEME", unix.PTRACE_PEEKTEXT: "PTRACE_PEEKTEXT", unix.PTRACE_PEEKDATA: "PTRACE_PEEKDATA",
	unix.PTRACE_POKETEXT: "PTRACE_POKETEXT", unix.PTRACE_POKEDATA: "PTRACE_POKEDATA", unix.PTRACE_CONT: "PTRACE_CONT",
	unix.PTRACE_KILL: "PTRACE_KILL", unix.PTRACE_ATTACH: "PTRACE_ATTACH", unix.PTRACE_DETACH: "PTRACE_DETACH",
	unix.PTRACE_SETOPTIONS: "PTRACE_SETOPTIONS", unix.PTRACE_GETREGSET: "PTRACE_GETREGSET", unix.PTRACE_SETREGSET: "PTRACE_SETREGSET",
	unix.PTRACE_SEIZE: "PTRACE_SEIZE", unix.PTRACE_INTERRUPT: "PTRACE_INTERRUPT", unix.PTRACE_LISTEN: "PTRACE_LISTEN",
}
