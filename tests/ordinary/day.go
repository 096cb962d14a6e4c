package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/ebpfless/ebpfless/tests/stage"
	"golang.org/x/sys/unix"
)

// day does works in turn.
type day struct {
	probe  *stage.Probe
	tracer string
}

// limit is for one work.
const limit = 5 * time.Minute

// pass does every work once, and goes on in turn until the time is over.
func (d *day) pass(only string, lasting time.Duration) error {
	begun := time.Now()
	for round := 1; round == 1 || time.Since(begun) < lasting; round++ {
		for _, w := range works {
			if only != "" && only != w.name && !w.first || round > 1 && (w.first || time.Since(begun) >= lasting) {
				continue
			}
			if err := d.do(w); err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
		}
	}
	return nil
}

// do performs one work and prints what was seen of it. Too few events mean that it was not watched.
func (d *day) do(w work) error {
	before, begun := d.probe.Counts().Events, time.Now()
	log, err := os.CreateTemp("/run", "ordinary")
	if err != nil {
		return err
	}
	defer os.Remove(log.Name())
	defer log.Close()
	cmd := exec.Command("sh", "-eu", "-c", prelude+w.script)
	cmd.Env = append(os.Environ(), "HOME=/root", "DEBIAN_FRONTEND=noninteractive", "TRACER="+d.tracer, "PROBE="+d.probe.Addr())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	end := func() { unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	late := time.AfterFunc(limit, end)
	defer end() // of servers that a script which failed has left behind
	defer late.Stop()
	if err := cmd.Wait(); err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%w\n%s", err, text[max(0, len(text)-4000):])
	}
	if err := d.probe.WaitGone(limit); err != nil {
		return err
	}
	seen := d.probe.Counts().Events - before
	fmt.Printf("%-12s %8d events %6.1fs\n", w.name, seen, time.Since(begun).Seconds())
	if seen < w.least {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("%d events are fewer than the %d that it must make: it was not watched\n%s", seen, w.least, bytes.TrimSpace(text))
	}
	return nil
}
