package tracer

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// find gives the file that a command names, as execvp(3) would find it.
func find(command string) (string, error) {
	path, err := exec.LookPath(command)
	if errors.Is(err, exec.ErrDot) {
		err = nil // an empty or relative entry of PATH: the caller's own choice, as without us
	}
	if err != nil {
		return "", explainMissing(command, err)
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find %q: %w", command, err)
	}
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return "", refuse("check the spelling and the permissions", "run %q: %v", command, errors.Unwrap(err))
	case !st.Mode().IsRegular():
		return "", refuse("name a program", "run %q: it is not a regular file", command)
	case st.Mode()&0o111 == 0:
		return "", refuse("chmod +x "+path, "run %q: it is not executable", command)
	}
	return path, nil
}

func explainMissing(command string, err error) error {
	if st, statErr := os.Stat(command); statErr == nil && filepath.Base(command) != command {
		if st.IsDir() {
			return refuse("name a program", "run %q: it is a directory", command)
		}
		return refuse("chmod +x "+command, "run %q: it is not executable", command)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return refuse("give its full path, or set PATH", "run %q: no such program in PATH", command)
	}
	return refuse("check the spelling", "run %q: %v", command, errors.Unwrap(err))
}

// groups are the supplementary groups of a user, from the user database; a user who isn't there has none.
func groups(uid, gid int32) []int {
	if uid < 0 {
		return nil
	}
	list := []int{}
	u, err := user.LookupId(strconv.Itoa(int(uid)))
	if err != nil {
		return list
	}
	ids, err := u.GroupIds()
	if err != nil {
		return list
	}
	for _, id := range ids {
		if n, err := strconv.Atoi(id); err == nil && n != int(gid) {
			list = append(list, n)
		}
	}
	if gid >= 0 {
		list = append(list, int(gid))
	}
	return list
}

// processes reads the values of --pid. An ENTRYPOINT in exec form has no shell to expand "$PID": the environment does. Of
// several processes, as pidof lists them, some may have ended since: that is said, and the others are taken.
func processes(values []string) ([]int, error) {
	var list []int
	var missing error
	seen := map[int]bool{}
	for _, value := range values {
		expanded := os.ExpandEnv(value)
		pid, err := strconv.Atoi(expanded)
		switch {
		case (err != nil || pid <= 0) && expanded != value:
			return nil, refuse("set the variable to the number of a running process", "--pid %q is %q in the environment, which is no process id", value, expanded)
		case err != nil || pid <= 0:
			return nil, refuse("--pid takes the number of a running process", "--pid %q is no process id", value)
		case pid == os.Getpid():
			return nil, refuse("name the process to watch", "--pid %d is this tracer itself", pid)
		case unix.Kill(pid, 0) == unix.ESRCH:
			if missing == nil {
				missing = refuse("see ps -e; it may have ended", "--pid %d: no such process", pid)
			} else {
				complain("--pid %d: no such process", pid)
			}
		case !isProcess(pid):
			return nil, refuse("name the process; all its threads are traced", "--pid %d is a thread, not a process", pid)
		case !seen[pid]:
			seen[pid] = true
			list = append(list, pid)
		}
	}
	if len(list) == 0 {
		return nil, missing
	}
	if missing != nil {
		complain("%v; the others are attached to", missing)
	}
	return list, nil
}

// isProcess tells a thread-group leader from other threads, which kill(2) finds as well.
func isProcess(pid int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", pid, pid))
	return err == nil
}
