package probe

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/host"
	"golang.org/x/sys/unix"
)

const nobody = 65534

// connectAs connects from a socket of another user: a socket belongs to the ids of the thread that makes it.
func connectAs(t *testing.T, s *Server, uid int) *peer {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to be another user")
	}
	made := make(chan net.Conn, 1)
	go notOnMain(func() {
		defer close(made)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
			return
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return
		}
		file := os.NewFile(uintptr(fd), "socket")
		defer file.Close()
		if unix.Connect(fd, &unix.SockaddrInet4{Port: s.Addr().Port, Addr: [4]byte{127, 0, 0, 1}}) != nil {
			return
		}
		if conn, err := net.FileConn(file); err == nil {
			made <- conn
		}
	})
	conn := <-made
	if conn == nil {
		t.Fatal("no connection of another user could be made")
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &peer{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// notOnMain calls f on a thread that ends with it, and that isn't the main one, whose ids /proc shows as the process's.
func notOnMain(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		notOnMain(f)
	}()
	<-done
	runtime.UnlockOSThread()
}

// nobodys starts a process of that user.
func nobodys(t *testing.T) uint32 {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return uint32(cmd.Process.Pid)
}

func greeting(nsid uint64) *event.Message {
	m := *hello.Hello
	m.NSID, m.Container.ID = nsid, "claimed"
	return &event.Message{Hello: &m}
}

func claimed(seq uint64, pid uint32) *event.Message {
	return &event.Message{Seq: seq, Event: &event.Event{Kind: event.Open, PID: pid, ContainerID: "claimed", File: event.File{Path: "/x"}}}
}

func TestUsersSpeakForTheirOwnProcesses(t *testing.T) {
	e, found := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	s := serve(t, e)
	p := connectAs(t, s, nobody)
	own := nobodys(t)
	p.send(greeting(host.NewProcesses("/proc").Namespace()))
	p.answer()
	p.send(claimed(1, uint32(os.Getpid())), claimed(2, 1), claimed(3, own), claimed(4, 1<<22+1))
	for a := p.answer(); a.Ack != 4; a = p.answer() {
	}
	events(t, e, 2)
	s.Close()
	if len(*found) != 2 || (*found)[0].Process.PID != own {
		t.Fatalf("%d detections", len(*found))
	}
	for _, d := range *found {
		if d.Container != nil {
			t.Errorf("pid %d is in the container that its tracer claims", d.Process.PID)
		}
	}
}

func TestUsersSpeakForNamespacesTheyAreIn(t *testing.T) {
	e, _ := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	p := connectAs(t, serve(t, e), nobody)
	nobodys(t)
	p.send(greeting(testNS), claimed(1, 9))
	if _, err := p.in.ReadByte(); err != io.EOF {
		t.Errorf("a hello for somebody else's container is answered, or the connection stays open: %v", err)
	}
	events(t, e, 0)
}

func TestOneUserLeavesRoomForOthers(t *testing.T) {
	e, _ := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	s := serve(t, e)
	closed := make(chan error, maxPerUser+1)
	for range maxPerUser + 1 { // owners are looked up in any order
		p := connectAs(t, s, nobody)
		go func() { _, err := p.in.ReadByte(); closed <- err }()
	}
	if err := <-closed; err != io.EOF {
		t.Errorf("one more than %d connections of a user: %v", maxPerUser, err)
	}
	if n := s.Clients(); n < maxPerUser {
		t.Errorf("%d connections are left", n)
	}
	p := connect(t, s)
	p.send(hello)
	if a := p.answer(); a.Interest == nil {
		t.Error("another user's tracer isn't served")
	}
}
