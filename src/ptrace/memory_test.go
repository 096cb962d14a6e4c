package ptrace

import (
	"bytes"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestMemoryReadsStringsUpToTheirEnd(t *testing.T) {
	page, err := unix.Mmap(-1, 0, 2*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(page)
	if err := unix.Mprotect(page[pageSize:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	at := func(offset int) uint64 { return uint64(uintptr(unsafe.Pointer(&page[offset]))) }
	copy(page[pageSize-6:], "hello\x00") // ends with the last readable byte
	var m Memory
	var dst [64]byte
	if n, ok := m.String(os.Getpid(), at(pageSize-6), dst[:]); !ok || string(dst[:n]) != "hello" {
		t.Errorf("got %q, %v", dst[:n], ok)
	}
	copy(page[pageSize-4:], "open")
	if _, ok := m.String(os.Getpid(), at(pageSize-4), dst[:]); ok {
		t.Error("a string that runs into unreadable memory was read")
	}
	if n, ok := m.String(os.Getpid(), at(pageSize-4), dst[:3]); !ok || string(dst[:n]) != "ope" {
		t.Errorf("a string longer than the buffer gave %q, %v", dst[:n], ok)
	}
	if _, ok := m.String(os.Getpid(), 8, dst[:]); ok {
		t.Error("a string at an unmapped address was read")
	}
}

// Docker's default profile refuses process_vm_readv(2) and allows ptrace(2).
func TestMemoryFallsBackToPeeking(t *testing.T) {
	runtime.LockOSThread() // ends with the goroutine, and the tracee's attachment with it
	cmd := exec.Command("/bin/cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	pid := cmd.Process.Pid
	if errno := Seize(pid, 0); errno != 0 {
		t.Skipf("PTRACE_SEIZE of a child: %v (a container may forbid it)", errno)
	}
	Interrupt(pid)
	if stop, errno := WaitFor(pid); errno != 0 || stop.Reason != Trapped {
		t.Fatalf("interrupted tracee: %+v, %v", stop, errno)
	}
	defer Detach(pid, 0)
	var r Reader
	if errno := r.regs.read(pid); errno != 0 {
		t.Fatal(errno)
	}
	sp := stackPointer(&r.regs)
	var direct, peeked [203]byte
	var m Memory
	if n := m.Read(pid, sp+3, direct[:]); n != len(direct) {
		t.Skipf("process_vm_readv read %d bytes: not allowed here", n)
	}
	m.refused = true
	if n := m.Read(pid, sp+3, peeked[:]); n != len(peeked) || !bytes.Equal(direct[:], peeked[:]) {
		t.Errorf("peeking read %d bytes, equal: %v", n, bytes.Equal(direct[:], peeked[:]))
	}
}
