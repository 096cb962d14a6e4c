package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// SameGroups tells whether this process is in the same control groups as another, so that whoever kills the one's group kills
// the other.
func SameGroups(pid int) bool {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return true // a kernel without control groups
	}
	other, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	return err == nil && string(own) == string(other)
}

// JoinGroups moves this process into the control groups of another, of every hierarchy. It needs write access to them.
func JoinGroups(pid int) error {
	if SameGroups(pid) {
		return nil
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	other, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	before := parseMemberships(string(own))
	for _, m := range parseMemberships(string(other)) {
		if slices.Contains(before, m) {
			continue
		}
		folder, err := m.folder(string(mounts))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte("0"), 0)
		}
		if err != nil {
			return fmt.Errorf("join its control group %s: %w", m.path, err)
		}
	}
	return nil
}

// folder finds the directory of a group by mountinfo, whose fields proc(5) numbers: 4 root, 5 mount point, and behind a dash
// the type and, two further, the options, among which are the controllers of version 1.
func (m membership) folder(mountinfo string) (string, error) {
	for line := range strings.Lines(mountinfo) {
		front, back, found := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		first, last := strings.Fields(front), strings.Fields(back)
		if !found || len(first) < 5 || len(last) < 3 || !m.mountedAs(last[0], last[2]) {
			continue
		}
		if below, inside := strings.CutPrefix(m.path+"/", strings.TrimSuffix(first[3], "/")+"/"); inside {
			return filepath.Join(first[4], below), nil
		}
	}
	return "", errors.New("it is mounted nowhere here")
}

func (m membership) mountedAs(kind, options string) bool {
	if m.controllers == "" {
		return kind == "cgroup2"
	}
	all := strings.Split(options, ",")
	for controller := range strings.SplitSeq(m.controllers, ",") {
		if kind != "cgroup" || !slices.Contains(all, controller) {
			return false
		}
	}
	return true
}
