package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// hierarchies are where control groups are mounted: version 2 alone, both versions, version 1 alone.
var hierarchies = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"}

// Processes lists the processes of a control group and of those below it. A group that is gone has none.
func Processes(group string) ([]int, error) {
	if group == "" || group == "/" {
		return nil, nil
	}
	for _, hierarchy := range hierarchies {
		folder := filepath.Join(hierarchy, group)
		if _, err := os.Stat(filepath.Join(folder, "cgroup.procs")); err != nil {
			continue
		}
		var pids []int
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || entry.Name() != "cgroup.procs" {
				return err
			}
			some, err := numbers(path)
			pids = append(pids, some...)
			return err
		})
		return pids, err
	}
	return nil, nil
}

func numbers(path string) ([]int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "no such device") {
			return nil, nil
		}
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var list []int
	for word := range strings.FieldsSeq(string(text)) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("list processes: %s: %w", path, err)
		}
		if n > 0 { // 0 is a process that has no id in our namespace (cgroups(7))
			list = append(list, n)
		}
	}
	return list, nil
}
