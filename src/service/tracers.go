package service

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/tracer/guard"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// Tracer is a tracer at work.
type Tracer struct {
	Loop, Guard int
	// Command is what it was started with; empty when it has attached.
	Command   []string
	Processes []int
	Events    uint64
	Dropped   uint64
	CPU       time.Duration // of both its processes since they began
	Age       time.Duration
}

// memoryFD is the descriptor under which a tracing loop has the memory that it shares with its guardian.
const memoryFD = "3"

// Tracers finds the tracers of this host; only root sees those of others. One of another version is passed over.
func Tracers() ([]Tracer, error) {
	if _, err := os.Stat("/proc/self"); err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	known := host.NewTracers("/proc")
	var list []Tracer
	for _, pid := range procfs.Numbers("/proc") {
		if !host.Loops("/proc", pid) || !known.Is(pid) { // others could take the name, and their memory is not to be read
			continue
		}
		if t, err := look(pid); err == nil {
			list = append(list, t)
		}
	}
	return list, nil
}

// look reads the memory of one tracer.
func look(loop int) (Tracer, error) {
	file, err := os.OpenFile(filepath.Join("/proc", strconv.Itoa(loop), "fd", memoryFD), os.O_RDWR, 0)
	if err != nil {
		return Tracer{}, err
	}
	defer file.Close()
	memory, err := shared.Map(file)
	if err != nil {
		return Tracer{}, err
	}
	c, err := guard.Load(memory)
	if err != nil {
		return Tracer{}, err
	}
	t := Tracer{
		Loop: loop, Guard: int(memory.Control.GuardPID), Command: c.Args,
		Events: memory.Ring.Written(), Dropped: memory.Ring.Dropped(),
	}
	memory.Each(func(task *shared.Task) {
		if pid := int(task.TGID); !slices.Contains(t.Processes, pid) {
			t.Processes = append(t.Processes, pid)
		}
	})
	slices.Sort(t.Processes)
	for _, pid := range []int{t.Loop, t.Guard} {
		spent, age := times(pid)
		t.CPU += spent
		t.Age = max(t.Age, age)
	}
	return t, nil
}

// ticks is USER_HZ, the unit of times in /proc (proc(5)); Linux has it at 100 on all architectures that we build for.
const ticks = 100

// times gives the processor time of a process and its age.
func times(pid int) (spent, age time.Duration) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return 0, 0
	}
	number := func(field int) int64 { // as proc(5) counts them
		n, _ := strconv.ParseInt(fields[field-3], 10, 64)
		return n
	}
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	spent = time.Duration(number(14)+number(15)) * time.Second / ticks
	return spent, time.Duration(now.Nano()) - time.Duration(number(22))*time.Second/ticks
}
