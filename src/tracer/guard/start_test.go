package guard

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

// The test program plays the loops that a guardian under test starts: those before the last one end at once.
const (
	killed    = "a loop that is killed"
	finishing = "a loop that ends"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && (os.Args[1] == killed || os.Args[1] == finishing) {
		playLoop(os.Args[1] == killed, os.Args[2])
	}
	os.Exit(m.Run())
}

func playLoop(killed bool, times string) {
	m, err := shared.Map(os.NewFile(3, "shared memory"))
	last, _ := strconv.Atoi(times)
	switch {
	case err != nil:
		os.Exit(2)
	case int(m.Control.Crashes) == last:
		m.Control.SetState(shared.Tracing)
		os.Exit(0)
	}
	m.Control.Crashes++
	if killed {
		unix.Kill(os.Getpid(), unix.SIGKILL)
	}
	os.Exit(0)
}

// A loop that is killed says nothing of the next one; one that ends by itself does.
func TestLoopsThatEndAtOnceAreReplaced(t *testing.T) {
	for _, c := range []struct {
		loop  string
		times int
		want  error
	}{
		{loop: killed, times: 3 * startTries},
		{loop: finishing, times: startTries - 1},
		{loop: finishing, times: startTries, want: errEnded},
	} {
		t.Run(c.loop+" "+strconv.Itoa(c.times)+" times", func(t *testing.T) {
			runtime.LockOSThread() // ends with the goroutine
			file, err := shared.Create()
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			memory, err := shared.Map(file)
			if err != nil {
				t.Fatal(err)
			}
			silent := logrus.New()
			silent.Out = io.Discard
			g := &Guard{Memory: memory, File: file, Log: logrus.NewEntry(silent)}
			dog, err := NewWatchdog(memory, file, []string{"loop", c.loop, strconv.Itoa(c.times)}, g.Log)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.start(dog); !errors.Is(err, c.want) {
				t.Errorf("start: %v; %d loops ended", err, memory.Control.Crashes)
			}
		})
	}
}
