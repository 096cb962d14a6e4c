package host

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func address(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }

// pair connects to a listener of its own.
func pair(t *testing.T, network, addr string) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err = net.Dial(network, addr+listener.Addr().String()[len("127.0.0.1"):])
	if err != nil {
		t.Fatal(err)
	}
	server, err = listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestSocketHasItsOwner(t *testing.T) {
	client, server := pair(t, "tcp", "127.0.0.1")
	uid, known, err := SocketOwner(address(server.RemoteAddr()), address(server.LocalAddr()))
	if err != nil || !known || uid != uint32(os.Getuid()) {
		t.Errorf("owner is %d, %v, %v", uid, known, err)
	}
	client.Close()
	if _, known, err := SocketOwner(address(server.RemoteAddr()), address(server.LocalAddr())); !errors.Is(err, ErrGone) || known {
		t.Errorf("a closed socket: %v, %v", known, err)
	}
}

// A client may use an IPv6 socket for an IPv4 address; the table of IPv6 has it then.
func TestSocketOfIPv6HasItsOwner(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	defer unix.Close(fd)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	to := &unix.SockaddrInet6{Port: listener.Addr().(*net.TCPAddr).Port, Addr: netip.MustParseAddr("::ffff:127.0.0.1").As16()}
	if err := unix.Connect(fd, to); err != nil {
		t.Fatal(err)
	}
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	uid, known, err := SocketOwner(address(server.RemoteAddr()), address(server.LocalAddr()))
	if err != nil || !known || uid != uint32(os.Getuid()) {
		t.Errorf("owner is %d, %v, %v", uid, known, err)
	}
}

func TestOwnersInTables(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	peer, here := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:5678")
	line := func(uid, inode string) string {
		return head + "   0: " + inTable(here, false) + " " + inTable(peer, false) + " 01 0:0 00:0 0 7 0 99 1\n" +
			"   1: " + inTable(peer, false) + " " + inTable(here, false) + " 01 00000000:00000000 00:00000000 00000000  " + uid + "  0 " + inode + " 1\n"
	}
	for name, c := range map[string]struct {
		text  string
		uid   uint32
		known bool
		gone  bool
	}{
		"a user's":  {line("1000", "77"), 1000, true, false},
		"an orphan": {line("0", "0"), 0, false, true},
		"none":      {head, 0, false, false},
		"cut":       {head + "  1: 0100007F:9C40 0100007F", 0, false, false},
	} {
		file := filepath.Join(t.TempDir(), "tcp")
		os.WriteFile(file, []byte(c.text), 0o600)
		uid, known, err := ownerIn(file, peer, here)
		if uid != c.uid || known != c.known || errors.Is(err, ErrGone) != c.gone {
			t.Errorf("%s: %d, %v, %v", name, uid, known, err)
		}
	}
	file := filepath.Join(t.TempDir(), "tcp")
	os.WriteFile(file, []byte(line("nobody", "5")), 0o600)
	if _, known, err := ownerIn(file, peer, here); known || err == nil {
		t.Error("an owner that is no number is taken")
	}
}

func TestProcessesBelong(t *testing.T) {
	p := NewProcesses("/proc")
	me := uint32(os.Getuid())
	if own, alive := p.Belongs(os.Getpid(), me); !own || !alive {
		t.Errorf("this process: %v, %v", own, alive)
	}
	if own, alive := p.Belongs(os.Getpid(), me+1); own || !alive {
		t.Errorf("this process for another: %v, %v", own, alive)
	}
	if own, alive := p.Belongs(1<<22+1, me); own || alive {
		t.Errorf("no process: %v, %v", own, alive)
	}
	if p.Member(p.Namespace(), me) == 0 || p.Member(p.Namespace(), 4242424) != 0 || p.Member(1, me) != 0 {
		t.Error("members of namespaces are not those that there are")
	}
}

// A test that is traced can't have another tracer, so the tracee is a child that asks to be traced by this process.
func TestWhatAUserTracesIsHis(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Ptrace: true}
	if err := cmd.Start(); err != nil {
		t.Skipf("tracing is not possible here: %v", err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	p := NewProcesses("/proc")
	if own, _ := p.Belongs(cmd.Process.Pid, 0); !own {
		t.Error("a tracee is not its tracer's")
	}
	if own, _ := p.Belongs(cmd.Process.Pid, 65533); own {
		t.Error("a tracee is somebody's")
	}
}

func TestProcessesOfOthersAreTheirs(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	p := NewProcesses("/proc")
	if own, _ := p.Belongs(cmd.Process.Pid, 0); own {
		t.Error("nobody's process is root's")
	}
	if own, _ := p.Belongs(cmd.Process.Pid, 65534); !own {
		t.Error("nobody's process is not nobody's")
	}
}
