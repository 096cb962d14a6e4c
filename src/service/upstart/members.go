package upstart

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/procfs"
)

// Members are the processes of a job: the one that upstart has as its main process, and all that descend from it. Of others
// upstart itself knows nothing.
type Members struct {
	Job string

	main     int
	identity uint64
}

// List lists them, and asks upstart only when the main process is gone.
func (m *Members) List() ([]int, error) {
	var reader procfs.Reader
	if m.main == 0 || reader.Identity(m.main) != m.identity {
		out, err := exec.CommandContext(context.Background(), "initctl", "status", m.Job).Output()
		if err != nil {
			return nil, nil // it is gone, and so are they
		}
		m.main = mainProcess(string(out))
		m.identity = reader.Identity(m.main)
	}
	if m.main == 0 {
		return nil, nil
	}
	return slices.DeleteFunc(descendants(m.main), ours), nil
}

var running = regexp.MustCompile(`(?m)^\S+.* start/running, process (\d+)$`)

// mainProcess reads what initctl says of a job; 0 where it doesn't run.
func mainProcess(status string) int {
	match := running.FindStringSubmatch(status)
	if match == nil {
		return 0
	}
	pid, _ := strconv.Atoi(match[1])
	return pid
}

// descendants gives a process and all below it.
func descendants(top int) []int {
	children := map[int][]int{}
	var reader procfs.Reader
	for _, pid := range procfs.Numbers("/proc") {
		var status procfs.Status
		if reader.Status(pid, &status) == 0 {
			children[status.PPID] = append(children[status.PPID], pid)
		}
	}
	list := []int{top}
	for i := 0; i < len(list); i++ {
		list = append(list, children[list[i]]...)
	}
	return list
}

// ours tells what stands beside a job or between it and upstart: tracers, and the supervisor of a job with expect.
func ours(pid int) bool {
	exe, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	return exe == ctl || host.Part("/proc", pid)
}
