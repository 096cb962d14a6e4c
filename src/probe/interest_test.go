package probe

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

func TestWhatAFilterLeavesOutIsNamed(t *testing.T) {
	told := func(flags uint32, kinds ...event.Kind) *event.Interest {
		return &event.Interest{Kinds: event.SetOf(kinds...), OpenFlags: flags}
	}
	spared := func(having, unless uint32) *event.Interest {
		return &event.Interest{Kinds: event.SetOf(event.Open), SparedOpens: having, UnlessOpens: unless}
	}
	signals := func(mask uint64) *event.Interest {
		return &event.Interest{Kinds: event.SetOf(event.Signal), Signals: mask}
	}
	for _, c := range []struct {
		told, now *event.Interest
		want      string
	}{
		{nil, told(0, event.Open), ""},
		{told(0, event.Exec), told(0, event.Exec), ""},
		{told(0, event.Exec), told(0, event.Exec, event.Connect, event.SetUID, event.SetFSUID), "setuid, connect"},
		{told(unix.O_CREAT, event.Open), told(unix.O_CREAT|unix.O_TRUNC, event.Open), "open with O_TRUNC"},
		{told(unix.O_CREAT, event.Open), told(0, event.Open), "open without any of O_CREAT"},
		{told(0, event.Open), told(unix.O_CREAT, event.Open), ""},
		{spared(unix.O_DIRECTORY, 0), spared(unix.O_DIRECTORY|unix.O_APPEND, 0), ""},
		{spared(unix.O_DIRECTORY, unix.O_CREAT|unix.O_TRUNC), spared(unix.O_DIRECTORY, unix.O_CREAT), ""},
		{spared(unix.O_DIRECTORY, 0), told(0, event.Open), "open with O_DIRECTORY"},
		{spared(unix.O_DIRECTORY, 0), spared(unix.O_DIRECTORY, unix.O_CREAT), "open with O_DIRECTORY"},
		{spared(unix.O_DIRECTORY, unix.O_CREAT), told(unix.O_CREAT, event.Open), ""},
		{spared(unix.O_DIRECTORY, 0), told(unix.O_CREAT, event.Open), "open with O_DIRECTORY"},
		{told(unix.O_CREAT, event.Open), spared(unix.O_DIRECTORY, unix.O_CREAT), "open without any of O_CREAT"},
		{told(0, event.Exec), told(unix.O_CREAT, event.Open), "open"},
		{signals(1 << unix.SIGKILL), told(0, event.Signal), "signals other than SIGKILL"},
		{signals(1 << unix.SIGKILL), signals(1<<unix.SIGTERM | 1<<unix.SIGKILL | 1<<40), "SIGTERM|40"},
		{told(0, event.Signal), signals(1 << unix.SIGKILL), ""},
	} {
		got := missingOf(c.told, c.now)
		words := func(s string) []string { list := strings.Split(s, ", "); slices.Sort(list); return list }
		if !slices.Equal(words(got), words(c.want)) {
			t.Errorf("told %+v, asked for %+v: %q, want %q", c.told, c.now, got, c.want)
		}
	}
}

// lines is a log that several goroutines write to.
type lines struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.text.String()
}

func TestTracersThatNewRulesHaveOutgrownAreNamed(t *testing.T) {
	e, _ := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	var out lines
	log := logrus.New()
	log.SetOutput(&out)
	s, err := Listen("127.0.0.1:0", e, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve()
	t.Cleanup(s.Close)
	named := func(args string, accepts ...string) *event.Message {
		return &event.Message{Hello: &event.Hello{NSID: testNS, Mode: event.Wrapped, Args: []string{args}, Container: event.Container{CreatedAt: 5}, Accepts: accepts}}
	}
	first := connect(t, s)
	first.send(named("our-tracer", event.AcceptInterest))
	first.answer()
	connect(t, s).send(named("the-original"))
	for deadline := time.Now().Add(10 * time.Second); strings.Count(out.String(), "tracer at") < 2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // the greeting ends after its line
	s.TellOutgrown()
	if text := out.String(); strings.Contains(text, "leaves out") {
		t.Errorf("named without a reason: %s", text)
	}
	e.SetRules(Rules(NewModel(), []*secl.Policy{policyOf(`connect.addr.port == 1`, "")}, secl.Host{}, true))
	s.TellOutgrown()
	told := ""
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "leaves out") {
			told += line
		}
	}
	if strings.Count(told, "\n") != 1 || !strings.Contains(told, "our-tracer") || !strings.Contains(told, "leaves out connect") {
		t.Errorf("told: %s", told)
	}
	// A tracer that comes back has the filter of before.
	first.conn.Close()
	again := connect(t, s)
	again.send(named("our-tracer", event.AcceptInterest))
	if a := again.answer(); a.Interest == nil || a.Interest.Kinds.Has(event.Connect) {
		t.Errorf("answered %+v, not what it was told first", a.Interest)
	}
}

// A stream of events crosses many reloads, and each is judged once by rules that are in force.
func TestNothingIsMissedWhileRulesChange(t *testing.T) {
	e, found := engineWith(t, policyOf(`open.file.path == "/x"`, ""))
	e.limiter = newLimiter(1<<30, 1<<30)
	p := connect(t, serve(t, e))
	p.send(hello)
	p.answer()
	const total = 20000
	stop, reloads := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				reloads <- n
				return
			default:
				e.SetRules(Rules(NewModel(), []*secl.Policy{policyOf(`open.file.path == "/x"`, "")}, secl.Host{}, true))
			}
		}
	}()
	go func() { // receipts must be read, or the probe gives the tracer up
		for {
			if _, err := p.in.ReadByte(); err != nil {
				return
			}
		}
	}()
	for seq := range uint64(total) {
		p.send(numbered(seq + 1))
	}
	events(t, e, total)
	close(stop)
	if n := <-reloads; n < 10 {
		t.Errorf("only %d reloads", n)
	}
	if len(*found) != total {
		t.Errorf("%d detections of %d events", len(*found), total)
	}
}
