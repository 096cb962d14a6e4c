package follow

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Named lists the processes of a program, by its file's name or the name that it goes by, as pidof(8) does.
func Named(program string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if runs(pid, program) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// runs tells whether a process runs a program: by the whole path where that is what is asked for, else by argument 0, by the
// first argument of an interpreter, or by the file. A launcher that is to become the program is the tracer still.
func runs(pid int, program string) bool {
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	command, err := os.ReadFile(filepath.Join(folder, "cmdline"))
	if err != nil || len(command) == 0 { // it has ended, or is the kernel's own
		return false
	}
	exe, _ := os.Readlink(filepath.Join(folder, "exe"))
	exe = strings.TrimSuffix(exe, " (deleted)")
	if filepath.Base(exe) == "cws-instrumentation" {
		return false
	}
	if filepath.IsAbs(program) {
		return exe == program
	}
	args := strings.Split(string(command), "\x00")
	if filepath.Base(exe) == program || filepath.Base(strings.TrimLeft(args[0], "-")) == program {
		return true
	}
	return len(args) > 1 && strings.HasPrefix(args[1], "/") && filepath.Base(args[1]) == program
}
