package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
	"golang.org/x/sys/unix"
)

// way is how a load runs: what stands in front of its command, or what is started beside a server that runs.
type way struct {
	name   string
	front  func(bin string, probes *probes) []string
	attach []string // flags of trace --pid; nil: not attached
}

// probes are the two that tracers talk to: one that says nothing, as the original's, so that everything is trapped; and
// the real one with the default rules.
type probes struct {
	silent *recorder.Recorder
	asking *asking
}

var ways = []way{
	{name: "native", front: func(string, *probes) []string { return nil }},
	{name: "wrapped, default rules", front: func(bin string, p *probes) []string {
		return []string{bin + "/cws-instrumentation", "trace", "--disable-proc-scan", "--probe-addr", p.asking.addr, "--"}
	}},
	{name: "wrapped, everything", front: func(bin string, p *probes) []string {
		return []string{bin + "/cws-instrumentation", "trace", "--disable-proc-scan", "--probe-addr", p.silent.Addr(), "--"}
	}},
	{name: "strace --seccomp-bpf", front: func(string, *probes) []string {
		if _, err := exec.LookPath("strace"); err != nil {
			return []string{""} // left out
		}
		return []string{"strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e",
			"trace=open,openat,creat,unlink,unlinkat,rename,renameat,renameat2,chmod,fchmod,fchmodat,execve,connect,setuid,setgid"}
	}},
}

// attached are ways of a server to which a tracer comes later.
var attached = []way{
	{name: "native", front: ways[0].front},
	{name: "attached", front: ways[0].front, attach: []string{}},
	{name: "attached, --install-filter", front: ways[0].front, attach: []string{"--install-filter"}},
}

// sample is one run: seconds of wall clock, and of processor of everything that ran meanwhile for it.
type sample struct{ wall, cpu float64 }

func run(bin string, rounds int, only string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	silent, err := recorder.StartAt("127.0.0.1:0", nil, event.SetOf(event.Ptrace))
	if err != nil {
		return err
	}
	if own = enterGroup(); own != nil {
		defer own.leave()
	}
	asking, err := startProbe(bin)
	if err != nil {
		return err
	}
	defer asking.stop()
	p := &probes{silent: silent, asking: asking}
	header(rounds)
	for _, l := range loads {
		if only != "" && l.name != only {
			continue
		}
		if missing := l.missing(); missing != "" {
			fmt.Printf("| %s | left out: no %s |\n", l.name, missing)
			continue
		}
		if err := measure(l, bin, p, rounds); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

func header(rounds int) {
	var u unix.Utsname
	unix.Uname(&u)
	fmt.Printf("%d processors, Linux %s, %s, %d rounds; ratios to native, median (lowest to highest)\n\n",
		runtime.NumCPU(), unix.ByteSliceToString(u.Release[:]), runtime.GOARCH, rounds)
	fmt.Println("| load | way | time | processor |")
	fmt.Println("| --- | --- | --- | --- |")
}

// measure runs all ways of a load in turn. The ratio is taken within a round, so that a machine that gets slower changes
// both sides.
func measure(l load, bin string, p *probes, rounds int) error {
	ways := ways
	if l.attachable {
		ways = attached
	}
	samples := make([][]sample, len(ways))
	for round := -1; round < rounds; round++ { // the first is to warm up
		for i := range ways {
			which := (i + max(round, 0)) % len(ways)
			front := ways[which].front(bin, p)
			if len(front) == 1 && front[0] == "" {
				continue
			}
			var tracer []string
			if ways[which].attach != nil {
				tracer = append([]string{bin + "/cws-instrumentation", "trace", "--disable-proc-scan", "--probe-addr", p.asking.addr}, ways[which].attach...)
			}
			s, err := l.run(front, tracer)
			if err != nil {
				return fmt.Errorf("%s: %w", ways[which].name, err)
			}
			if round >= 0 {
				samples[which] = append(samples[which], s)
			}
		}
	}
	for which := 1; which < len(ways); which++ {
		if len(samples[which]) == 0 {
			fmt.Printf("| %s | %s | left out: not installed | |\n", l.name, ways[which].name)
			continue
		}
		var wall, cpu []float64
		for round, s := range samples[which] {
			wall = append(wall, s.wall/samples[0][round].wall)
			cpu = append(cpu, s.cpu/samples[0][round].cpu)
		}
		fmt.Printf("| %s | %s | %s | %s |\n", l.name, ways[which].name, spread(wall), spread(cpu))
	}
	return nil
}

func spread(values []float64) string {
	slices.Sort(values)
	median := values[len(values)/2]
	if len(values)%2 == 0 {
		median = (median + values[len(values)/2-1]) / 2
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median, values[0], values[len(values)-1])
}

// own is the control group of all that is measured; nil where there is none.
var own *group

// timed measures something that runs, tracer and probe included, less what this program used itself.
func timed(work func() error) (sample, error) {
	cpu, mine, begun := busy(), self(), time.Now()
	err := work()
	wall := time.Since(begun).Seconds()
	time.Sleep(30 * time.Millisecond) // the tracer sends its last events
	return sample{wall: wall, cpu: max(busy()-cpu-(self()-mine), 0.001)}, err
}

// busy is the processor time in seconds: the group's, or else the machine's, which is user, nice, system, irq and softirq of
// proc(5) in ticks of 10 ms.
func busy() float64 {
	if own != nil {
		return own.used()
	}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var user, nice, system, idle, wait, irq, soft float64
	line, _, _ := strings.Cut(string(text), "\n")
	fmt.Sscanf(line, "cpu %f %f %f %f %f %f %f", &user, &nice, &system, &idle, &wait, &irq, &soft)
	return (user + nice + system + irq + soft) / 100
}

// self is the processor time of this program without its children: the recording probe.
func self() float64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
