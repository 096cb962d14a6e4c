package probe

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/ebpfless/ebpfless/src/wire"
	"golang.org/x/sys/unix"
)

// floodTo names the server that a copy of the test program floods, so that a tracer's work is not the server's.
const floodTo = "EBPFLESS_FLOOD_TO"

func TestMain(m *testing.M) {
	if addr := os.Getenv(floodTo); addr != "" {
		if err := flood(addr, os.Getenv("EBPFLESS_FLOOD_EVENTS")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// flood sends events as a tracer does, numbered, and reads the receipts: a process begins, opens files and ends.
func flood(addr, events string) error {
	n, err := strconv.ParseUint(events, 10, 64)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	receipts := make(chan error, 1)
	go func() { receipts <- receiptsUpTo(conn, n) }()
	out := bufio.NewWriterSize(conn, 64<<10)
	send := func(m *event.Message) {
		var frame []byte
		if frame, err = wire.AppendMessage(out.AvailableBuffer(), m); err == nil {
			_, err = out.Write(frame)
		}
	}
	send(&event.Message{Hello: &event.Hello{NSID: testNS, Accepts: []string{event.AcceptAck}, Container: event.Container{CreatedAt: 1}}})
	for seq := uint64(1); seq <= n && err == nil; seq++ {
		send(&event.Message{Event: ordinary(seq), Seq: seq})
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return err
	}
	return <-receipts
}

func receiptsUpTo(conn net.Conn, n uint64) error {
	for in := bufio.NewReader(conn); ; {
		a, err := wire.ReadAnswer(in)
		if err != nil || a.Ack == n {
			return err
		}
	}
}

// ordinary is the event at a place of the stream: of ten, a fork, an exec, an exit, and opens of what programs open.
func ordinary(seq uint64) *event.Event {
	pid := uint32(2 + seq/10%30000)
	switch seq % 10 {
	case 0:
		return forked(pid, 1)
	case 1:
		return executed(pid, 1, "/usr/bin/cat", "cat", "-n", "/usr/share/doc/bash/README")
	case 9:
		return &event.Event{Kind: event.Exit, PID: pid, Time: seq}
	}
	e := opening([]string{"/etc/ld.so.cache", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/share/doc/bash/README", "/proc/self/maps"}[seq%4], 0)
	e.PID, e.Time = pid, seq
	return &e
}

// twoHundred are the default rules and as many more of the same kinds as make 200 for opens alone.
func twoHundred(b *testing.B) *secl.RuleSet[Context] {
	model := NewModel()
	host := secl.Host{OS: "linux", Origin: "ebpfless"}
	defaults := secl.LoadFile(defaultPolicy)
	count := func(rs *secl.RuleSet[Context]) (opens int) {
		for _, r := range rs.Rules {
			if r.Program.Event == "open" {
				opens++
			}
		}
		return opens
	}
	text := "rules:\n"
	for i := range 200 - count(Rules(model, []*secl.Policy{defaults}, host, true)) {
		text += fmt.Sprintf("  - {id: more%d, expression: '%s'}\n", i, []string{
			fmt.Sprintf(`open.file.path in [~"/srv/app%d/**", "/etc/app%d.conf"] && process.file.name not in ["app%d"]`, i, i, i),
			fmt.Sprintf(`open.file.name == "secret%d" && open.flags & O_CREAT > 0`, i),
			fmt.Sprintf(`process.file.path == "/opt/tool%d" && process.ancestors.file.name in ["sshd"]`+` && open.retval >= 0`, i),
			fmt.Sprintf(`open.file.path =~ "/usr/*/lib%d.so*" && open.flags & (O_WRONLY|O_RDWR) > 0`, i),
			fmt.Sprintf(`open.file.extension == ".x%d" && process.uid == 0`, i),
		}[i%5])
	}
	rs := Rules(model, []*secl.Policy{defaults, secl.ParsePolicy("more.policy", []byte(text))}, host, true)
	if n := count(rs); n != 200 {
		b.Fatalf("%d rules of opens: %v", n, rs.Outcomes)
	}
	return rs
}

// BenchmarkTwoHundredRules asks 200 rules about one open.
func BenchmarkTwoHundredRules(b *testing.B) {
	for name, ev := range map[string]event.Event{
		"read": opening("/usr/share/doc/x", 0), "library": opening("/usr/lib/x86_64-linux-gnu/libc.so.6", unix.O_CLOEXEC),
		"write": opening("/var/lib/app/data.db", unix.O_RDWR|unix.O_CREAT),
	} {
		b.Run(name, func(b *testing.B) {
			e, found := engineWith(b, policyOf(`open.file.path == "/x"`, ""))
			e.SetRules(twoHundred(b))
			act{path: "/usr/bin/cat", parent: "/usr/bin/dash"}.on(e)
			ev.PID = 51
			b.ReportAllocs()
			for b.Loop() {
				e.Take(testNS, event.Container{}, &ev)
			}
			if len(*found) > 0 {
				b.Fatal("a rule hit: this measures misses")
			}
		})
	}
}

// BenchmarkServer takes frames from another process over TCP, through the real server, into the tree and past 200 rules.
// cpu-ns/event is what this process spent, in user and kernel mode; one core takes 1e9/cpu-ns events/s.
func BenchmarkServer(b *testing.B) {
	e, _ := engineWith(b, policyOf(`open.file.path == "/x"`, ""))
	e.SetRules(twoHundred(b))
	s := serve(b, e)
	sender := exec.Command(os.Args[0])
	sender.Env = append(os.Environ(), floodTo+"="+s.Addr().String(), "EBPFLESS_FLOOD_EVENTS="+strconv.Itoa(b.N))
	sender.Stderr = os.Stderr
	before, start := cpuTime(b), time.Now()
	if err := sender.Run(); err != nil {
		b.Fatal(err)
	}
	spent, took := cpuTime(b)-before, time.Since(start)
	if got := e.Counts().Events; got != uint64(b.N) {
		b.Fatalf("%d of %d events arrived", got, b.N)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/event")
	b.ReportMetric(float64(b.N)/took.Seconds(), "events/s")
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkProcesses tells what a live process costs, each with a program of its own.
func BenchmarkProcesses(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	tree := NewTree()
	for i := range b.N {
		pid := uint32(2 + i)
		grow(tree, forked(pid, 1), programOf(pid))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "bytes/process")
	runtime.KeepAlive(tree)
}
