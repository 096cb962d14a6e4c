package tests

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// find gives the process of the tracer of a pid that has a role: the loop is the pid's tracer, the guardian the loop's.
func find(pid int, role string) int {
	loop := tracerOf(pid)
	if loop == 0 || role == "loop" {
		return loop
	}
	return tracerOf(loop)
}

func tracerOf(pid int) int {
	tracer, _ := strconv.Atoi(field(pid, "TracerPid:"))
	return tracer
}

func state(pid int) string { return field(pid, "State:") }

func field(pid int, name string) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// started is the start time of a process in clock ticks since the boot, field 22 of proc(5).
func started(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	after := string(text)[strings.LastIndexByte(string(text), ')')+2:]
	return strings.Fields(after)[19]
}

// executes tells whether a process runs the file that has this name now.
func executes(pid int, name string) bool {
	file, err := os.Stat(name)
	exe, exeErr := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && exeErr == nil && os.SameFile(file, exe)
}

var errNoVictim = errors.New("no such process yet")
