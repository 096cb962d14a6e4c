package tracer

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/record"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
)

// The test program is itself the tracing process of the tests below: it executes itself again as a loop does.
const asLoop = "TEST_AS_TRACING_LOOP"

func init() {
	if os.Getenv(asLoop) != "" {
		runtime.LockOSThread() // on the main thread, as every init
	}
}

func TestMain(m *testing.M) {
	if os.Getenv(asLoop) != "" {
		traceForTest()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// brittle breaks at every thirtieth call that it is shown.
type brittle struct {
	*watch
	count int
}

func (b *brittle) Entered(t *shared.Task, row *syscalls.Row, args *[6]uint64) bool {
	if b.count++; b.count%30 == 0 {
		panic("broken for a test")
	}
	return b.watch.Entered(t, row, args)
}

type unwatched struct{}

func (unwatched) Gone() <-chan struct{} { return nil }
func (unwatched) Revive() error         { return nil }

func traceForTest() {
	m, err := shared.Map(os.NewFile(3, "memory"))
	if err != nil {
		panic(err)
	}
	log := logrus.New()
	log.SetOutput(io.Discard)
	w := newWatch(m, event.All(), false)
	l := newLoop(&linux{}, &brittle{watch: w}, m)
	m.Control.SetGuarded(os.Getpid())
	m.Control.Crashes = 0 // what is tested is that it goes on, not that it gives up
	run(l, w, Options{Interest: event.All(), Argv: os.Args, Log: logrus.NewEntry(log)}, 0, unwatched{})
}

// A loop that panics under load executes itself again: the application loses no call, and the events go on.
func TestAPanicIsSurvivedInPlace(t *testing.T) {
	file, err := shared.Create()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, err := shared.Map(file)
	if err != nil {
		t.Fatal(err)
	}
	script := `read go; i=0; while [ $i -lt 400 ]; do i=$((i+1)); : >"$0" || echo failed; done; echo end; exit 5`
	app := exec.Command("/bin/sh", "-c", script, t.TempDir()+"/file")
	stdin, _ := app.StdinPipe()
	var out strings.Builder
	app.Stdout, app.Stderr = &out, &out
	if err := app.Start(); err != nil {
		t.Fatal(err)
	}
	m.Control.Attached, m.Control.PIDCount, m.Control.PIDs[0] = 1, 1, int32(app.Process.Pid)
	loop := exec.Command("/proc/self/exe")
	loop.Env = append(os.Environ(), asLoop+"=1", "GODEBUG=asyncpreemptoff=1")
	loop.ExtraFiles = []*os.File{file}
	loop.Stderr = os.Stderr
	if err := loop.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); m.Control.State() == shared.Starting && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if m.Control.State() != shared.Tracing {
		app.Process.Kill()
		t.Skipf("attaching is not possible here: state %d, errno %d", m.Control.State(), m.Control.Failure)
	}
	fmt.Fprintln(stdin)
	app.Wait()
	if err := loop.Wait(); err != nil {
		t.Errorf("the tracing process: %v", err)
	}
	if out.String() != "end\n" || app.ProcessState.ExitCode() != 5 {
		t.Errorf("application: exit code %d, output %q", app.ProcessState.ExitCode(), out.String())
	}
	if m.Control.Renewals < 10 {
		t.Errorf("%d renewals, expected one for every 30 of 400 calls", m.Control.Renewals)
	}
	if opens := countOpens(t, m); opens < 380 || m.Ring.Dropped() != 0 {
		t.Errorf("%d of 400 opens were reported, %d dropped", opens, m.Ring.Dropped())
	}
}

func countOpens(t *testing.T, m *shared.Memory) int {
	t.Helper()
	opens := 0
	var facts record.Facts
	for at := m.Ring.Start(); ; {
		rec, ok, err := m.Ring.Read(at)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return opens
		}
		if _, err := record.Parse(rec.Data, &facts); err != nil {
			t.Fatal(err)
		}
		if facts.Kind == event.Open && strings.HasSuffix(string(facts.File.Path.Get()), "/file") {
			opens++
		}
		at = rec.Next
	}
}
