package shared

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/ring"
	"golang.org/x/sys/unix"
)

const sizeofControl = unsafe.Sizeof(Control{})

const (
	page     = 4096
	fixed    = (int(unsafe.Sizeof(layout{})) + page - 1) &^ (page - 1)
	fileSize = fixed + ring.HeaderSize + RingBytes
)

// Version tells whether two programs can share memory: equal versions lay it out alike.
func Version() string { return fmt.Sprintf("2.%d", fileSize) }

// Memory is one process's view of the shared file.
type Memory struct {
	Control *Control
	Tasks   *[TaskSlots]Task
	Calls   *[CallSlots]record.Facts
	Ring    *ring.Ring

	rota rota
}

// Create makes the shared file, of mode 0600 and without a name, so that it is gone with the last process that holds it.
func Create() (*os.File, error) {
	file, err := anonymous()
	if err != nil {
		return nil, fmt.Errorf("create shared memory: %w", err)
	}
	if err := file.Truncate(int64(fileSize)); err != nil {
		file.Close()
		return nil, fmt.Errorf("size shared memory: %w", err)
	}
	return file, nil
}

// anonymous uses memfd_create(2) from Linux 3.17 on, and an unlinked file in memory before.
func anonymous() (*os.File, error) {
	fd, err := unix.MemfdCreate("cws-instrumentation", unix.MFD_CLOEXEC)
	if err == nil {
		return os.NewFile(uintptr(fd), "shared memory"), nil
	}
	for _, dir := range []string{"/dev/shm", "/run", os.TempDir()} {
		var file *os.File
		if file, err = os.CreateTemp(dir, ".cws-*"); err == nil {
			return file, os.Remove(file.Name())
		}
	}
	return nil, err
}

// Map maps the file of Create. The memory stays mapped as long as the process lives.
func Map(file *os.File) (*Memory, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("map shared memory: %w", err)
	}
	if st.Size() != int64(fileSize) {
		return nil, fmt.Errorf("map shared memory: it has %d bytes instead of %d: made by another version", st.Size(), fileSize)
	}
	b, err := unix.Mmap(int(file.Fd()), 0, fileSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map shared memory: %w", err)
	}
	queue, err := ring.Open(b[fixed:])
	if err != nil {
		return nil, err
	}
	l := (*layout)(unsafe.Pointer(&b[0]))
	return &Memory{
		Control: &l.control, Tasks: &l.tasks, Calls: &l.calls, Ring: queue,
		rota: rota{strangers: l.control.Tasks > 0},
	}, nil
}

// futex operations of linux/futex.h, on memory that two processes share.
const (
	futexWait = 0
	futexWake = 1
)

// Wake ends the sender's sleep, if it sleeps.
func (m *Memory) Wake() {
	word := m.Ring.Waiting()
	if atomic.LoadUint32(word) == 0 {
		return
	}
	atomic.StoreUint32(word, 0)
	unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, 1, 0, 0, 0)
}

// Sleep waits until Wake is called, at most d. A record written just before it is found at once, because the caller
// looks again after it has announced itself.
func (m *Memory) Sleep(d time.Duration, again func() bool) {
	word := m.Ring.Waiting()
	atomic.StoreUint32(word, 1)
	if again() {
		atomic.StoreUint32(word, 0)
		return
	}
	limit := unix.NsecToTimespec(int64(d))
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, 1, uintptr(unsafe.Pointer(&limit)), 0, 0)
	atomic.StoreUint32(word, 0)
}
