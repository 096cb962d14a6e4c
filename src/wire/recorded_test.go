package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/google/go-cmp/cmp"
)

// The recordings are what the original's own tracer sent while it wrapped a small script.
func TestRecordingsOfTheOriginalDecode(t *testing.T) {
	for name, want := range map[string]struct {
		frames int
		kinds  map[event.Kind]int
	}{
		"recorded-2024.raw": {293, map[event.Kind]int{event.Exec: 13, event.Fork: 14, event.Exit: 14, event.Open: 238, event.Unlink: 3, event.Rmdir: 1}},
		"recorded-2025.raw": {297, map[event.Kind]int{event.Exec: 13, event.Fork: 14, event.Exit: 14, event.Open: 238, event.Unlink: 3, event.Bind: 2, event.Connect: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			frames, hellos, kinds := 0, 0, map[event.Kind]int{}
			for r := NewReader(bytes.NewReader(b)); ; frames++ {
				m, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("frame %d: %v", frames, err)
				}
				if m.Hello != nil {
					hellos++
				}
				if m.Event != nil {
					kinds[m.Event.Kind]++
				}
			}
			if frames != want.frames || hellos != 1 || kinds[event.Unknown] != 0 {
				t.Errorf("%d frames, %d hellos, %d of unknown kind", frames, hellos, kinds[event.Unknown])
			}
			for kind, n := range want.kinds {
				if kinds[kind] != n {
					t.Errorf("%d of kind %v, want %d", kinds[kind], kind, n)
				}
			}
		})
	}
}

func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGoldenFramesMeanWhatTheyMean(t *testing.T) {
	for name, check := range map[string]func(event.Message) bool{
		"bind-inet": func(m event.Message) bool {
			return m.Event.Kind == event.Bind && m.Event.Sock.IP.String() == "127.0.0.1" && m.Event.Sock.Port == 8080 && m.Event.Sock.Protocol == 6
		},
		"connect-inet6": func(m event.Message) bool {
			return m.Event.Kind == event.Connect && m.Event.Sock.IP.String() == "::1" && m.Event.Retval == -115 && m.Event.Sock.Family == 10
		},
		"exec-procfs": func(m event.Message) bool {
			return m.Event.Exec.FromProcFS && m.Event.File.Path == "/usr/bin/id" && m.Event.PPID == 1
		},
		"exec": func(m event.Message) bool {
			return cmp.Equal(m.Event.Exec.Args, []string{"id", "-u"}) && m.Event.Exec.TTY == "pts0" && m.Event.Exec.Credentials.User == "www-data"
		},
		"exit-signaled": func(m event.Message) bool {
			return m.Event.Exit == event.ExitInfo{Code: 11, Cause: event.Signaled}
		},
		"fork":               func(m event.Message) bool { return m.Event.Kind == event.Fork && m.Event.PPID == m.Event.PID-2 },
		"goodbye":            func(m event.Message) bool { return m.Goodbye && m.Event == nil },
		"hello-no-container": func(m event.Message) bool { return m.Hello.Mode == event.Attached && m.Hello.Container.ID == "" },
		"hello-wrapped": func(m event.Message) bool {
			return m.Hello.Mode == event.Wrapped && m.Hello.Args[0] == "/usr/sbin/nginx" && len(m.Hello.Container.ID) == 64
		},
		"open-denied": func(m event.Message) bool {
			e := m.Event
			return e.Retval == -13 && e.File.Path == "/etc/shadow" && e.Flags == 2 && e.File.User == "root" && e.Span == event.Span{ID: 7, TraceLo: 1, TraceHi: 2}
		},
		"setuid": func(m event.Message) bool {
			return m.Event.IDs == event.IDs{ID: 0, Effective: -1, Name: "root"}
		},
	} {
		m, err := NewReader(bytes.NewReader(golden(t, name))).Next()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !check(m) {
			t.Errorf("%s decodes to %+v %+v", name, m.Event, m.Hello)
		}
	}
}

func TestHostileFramesAreErrors(t *testing.T) {
	deep := append([]byte{0x81, 0xa5, 'H', 'e', 'l', 'l', 'o'}, bytes.Repeat([]byte{0x91}, 1000)...)
	for name, c := range map[string]struct {
		stream []byte
		want   error
	}{
		"header cut":         {[]byte{1, 0}, ErrTruncated},
		"payload cut":        {[]byte{9, 0, 0, 0, 0x80}, ErrTruncated},
		"larger than 256 K":  {[]byte{1, 0, 4, 0}, ErrTooLarge},
		"length of 4 G":      {[]byte{255, 255, 255, 255}, ErrTooLarge},
		"empty":              {frame(nil), ErrMalformed},
		"not a map":          {frame([]byte{0x93, 1, 2, 3}), ErrMalformed},
		"map of 4 G":         {frame([]byte{0xdf, 255, 255, 255, 255}), ErrMalformed},
		"map of 2^31":        {frame([]byte{0xdf, 128, 0, 0, 0}), ErrMalformed},
		"array of 4 G":       {frame([]byte{0x81, 0xa1, 'x', 0xdd, 255, 255, 255, 255}), ErrMalformed},
		"nested too deep":    {frame(deep), ErrMalformed},
		"float for a number": {frame([]byte{0x81, 0xa4, 'T', 'y', 'p', 'e', 0xca, 0, 0, 0, 0}), ErrMalformed},
		"type without body":  {frame([]byte{0x81, 0xa4, 'T', 'y', 'p', 'e', 2}), ErrMalformed},
	} {
		_, err := NewReader(bytes.NewReader(c.stream)).Next()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func frame(payload []byte) []byte {
	return append([]byte{byte(len(payload)), byte(len(payload) >> 8), byte(len(payload) >> 16), 0}, payload...)
}
