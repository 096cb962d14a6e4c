package wire

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"reflect"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vmihailenco/msgpack/v5"
)

// The original's structs, as its library writes and reads them, of the latest generation that was recorded.
type (
	origMessage struct {
		Type    int32
		Hello   *origHello
		Syscall *origSyscall
	}
	origHello struct {
		NSID             uint64
		ContainerContext *origContainer
		EntrypointArgs   []string
		Mode             string
	}
	origContainer struct {
		ID        string
		CreatedAt uint64
	}
	origSyscall struct {
		Type                  int32
		PID                   uint32
		SpanContext           *origSpan
		Timestamp             uint64
		Retval                int64
		ContainerID, CGroupID string
		Exec                  *origExec
		Open                  *origOpen
		Fork                  *struct{ PPID uint32 }
		Exit                  *struct{ Code, Cause uint32 }
		Fcntl                 *struct{ Fd, Cmd uint32 }
		SetUID                *origSetUID
		SetGID                *origSetGID
		SetFSUID              *origSetFSUID
		SetFSGID              *origSetFSGID
		Capset                *struct{ Effective, Permitted uint64 }
		Unlink, Rmdir         *struct{ File origFile }
		Rename                *struct{ OldFile, NewFile origFile }
		Mkdir                 *origMkdir
		Utimes                *origUtimes
		Link                  *origLink
		Chmod                 *origChmod
		Chown                 *origChown
		LoadModule            *origLoadModule
		UnloadModule          *struct{ Name string }
		Chdir                 *struct{ Dir origFile }
		Mount                 *struct{ Source, Target, FSType string }
		Umount                *struct{ Path string }
		Bind, Connect         *origSock
		Accept                *origAccept
		Setsockopt            *origSetsockopt
		Setrlimit             *origSetrlimit
		Prctl                 *origPrctl
		Dup                   *struct{ OldFd int32 }
		Pipe                  *struct{ FdsPtr uint64 }
		Socket                *origSocket
	}
	origSpan struct {
		SpanID  uint64
		TraceID struct{ Lo, Hi uint64 }
	}
	origCred struct {
		UID    uint32
		User   string
		EUID   uint32
		EUser  string
		GID    uint32
		Group  string
		EGID   uint32
		EGroup string
	}
	origFile struct {
		Filename     string
		CTime, MTime uint64
		Mode         uint32
		Inode        uint64
		Credentials  *origCred
	}
	origExec struct {
		File          *origFile
		Args          []string
		ArgsTruncated bool
		Envs          []string
		EnvsTruncated bool
		TTY           string
		Credentials   *origCred
		PPID          uint32
		FromProcFS    bool
	}
	origOpen struct {
		origFile
		Flags uint32
	}
	origSetUID struct {
		UID   int32
		User  string
		EUID  int32
		EUser string
	}
	origSetGID struct {
		GID    int32
		Group  string
		EGID   int32
		EGroup string
	}
	origSetFSUID struct {
		FSUID  int32
		FSUser string
	}
	origSetFSGID struct {
		FSGID   int32
		FSGroup string
	}
	origMkdir struct {
		Dir  origFile
		Mode uint32
	}
	origUtimes struct {
		File         origFile
		ATime, MTime uint64
	}
	origLink struct {
		Target, Link origFile
		Type         uint8
	}
	origChmod struct {
		File origFile
		Mode uint32
	}
	origChown struct {
		File  origFile
		UID   int32
		User  string
		GID   int32
		Group string
	}
	origLoadModule struct {
		File             origFile
		Name, Args       string
		LoadedFromMemory bool
	}
	origSock struct {
		Addr                          net.IP
		AddressFamily, Port, Protocol uint16
	}
	origAccept struct {
		Addr                net.IP
		AddressFamily, Port uint16
		SocketFd            int32
	}
	origSetsockopt struct {
		SocketFamily, SocketProtocol, SocketType uint16
		Level, OptName                           uint32
		Filter                                   []byte
		FilterLen                                uint16
	}
	origSetrlimit struct {
		Resource           int
		CurLimit, MaxLimit uint64
		Pid                uint32
	}
	origPrctl struct {
		Option  int
		Arg2    uint64
		NewName string
	}
	origSocket struct{ Domain, Type, Protocol int }
)

var comparable = cmpopts.EquateComparable(netip.Addr{})

// samples have every kind, filled with whatever the generator gives.
func samples(seed uint64) []event.Message {
	rng := rand.New(rand.NewPCG(seed, 1))
	word := func() string { return fmt.Sprintf("w%d-\xff\n", rng.IntN(1000)) }
	file := func() event.File {
		return event.File{Path: "/" + word(), Inode: rng.Uint64(), Mode: rng.Uint32(), CTime: rng.Uint64(), MTime: rng.Uint64(),
			HasOwner: true, UID: rng.Uint32(), GID: rng.Uint32(), User: word(), Group: word()}
	}
	list := []event.Message{
		{Hello: &event.Hello{Mode: event.Wrapped, NSID: rng.Uint64(), Args: []string{word(), ""}, Container: event.Container{ID: word(), CreatedAt: rng.Uint64()}}},
		{Goodbye: true},
	}
	for _, kind := range event.Kinds() {
		e := &event.Event{Kind: kind, PID: rng.Uint32(), Time: rng.Uint64(), Retval: -int64(rng.IntN(133)), ContainerID: word(), CGroupID: word()}
		fillKind(e, rng, word, file)
		list = append(list, event.Message{Event: e})
	}
	return list
}

func fillKind(e *event.Event, rng *rand.Rand, word func() string, file func() event.File) {
	id := func() int32 { return int32(rng.Uint32()) }
	switch e.Kind {
	case event.Exec:
		e.File, e.PPID = file(), rng.Uint32()
		e.Exec = event.ExecInfo{TTY: word(), Args: []string{word()}, Envs: []string{}, ArgsTruncated: true,
			Credentials: &event.Credentials{UID: rng.Uint32(), EUser: word()}}
	case event.Fork:
		e.PPID = rng.Uint32()
	case event.Exit:
		e.Exit = event.ExitInfo{Code: rng.Uint32(), Cause: event.Signaled}
	case event.Open:
		e.File, e.Flags = file(), rng.Uint32()
		e.Mode = e.File.Mode & 0o7777 // the wire has one field for both
		e.Span = event.Span{ID: rng.Uint64(), TraceHi: 1, TraceLo: rng.Uint64()}
	case event.Unlink, event.Rmdir, event.Chdir:
		e.File = file()
	case event.Mkdir, event.Chmod:
		e.File, e.Mode = file(), rng.Uint32()
	case event.Rename, event.Link:
		e.File, e.Destination = file(), file()
		e.Soft = e.Kind == event.Link
	case event.Chown:
		e.File, e.Owner = file(), event.Owner{UID: id(), GID: -1, User: word(), Group: word()}
	case event.Utimes:
		e.File, e.Times = file(), event.Times{Access: rng.Uint64(), Modification: rng.Uint64()}
	case event.SetUID, event.SetGID:
		e.IDs = event.IDs{ID: id(), Effective: -1, Name: word(), EffectiveName: word()}
	case event.SetFSUID, event.SetFSGID:
		e.IDs = event.IDs{ID: id(), Effective: -1, Name: word()}
	case event.Capset:
		e.Caps = event.Caps{Effective: rng.Uint64(), Permitted: rng.Uint64()}
	case event.LoadModule:
		e.File, e.Module = file(), event.Module{Name: word(), Args: word(), FromMemory: true}
	case event.UnloadModule:
		e.Module.Name = word()
	case event.Mount:
		e.Mount = event.MountInfo{Source: word(), Target: word(), FSType: word()}
	case event.Umount:
		e.Mount.Target = word()
	case event.Connect, event.Bind:
		e.Sock = event.Sock{IP: netip.MustParseAddr("2001:db8::1"), Family: 10, Port: 443, Protocol: 6}
	case event.Accept:
		e.Sock = event.Sock{IP: netip.MustParseAddr("192.0.2.1"), Family: 2, Port: 65535}
	case event.Setsockopt:
		e.Sockopt = event.Sockopt{Family: 2, Protocol: 17, Type: 3, Level: 1, Name: 26, Filter: []byte{1, 2, 3}, FilterLen: 9}
	case event.Setrlimit:
		e.Rlimit = event.Rlimit{Resource: 7, Cur: rng.Uint64(), Max: ^uint64(0), PID: rng.Uint32()}
	case event.Prctl:
		e.Prctl = event.PrctlInfo{Option: 70000, Arg2: rng.Uint64(), NewName: word()}
	case event.Socket:
		e.Socket = event.SocketInfo{Domain: 16, Type: 524289, Protocol: 300}
	case event.Ptrace:
		e.Ptrace = event.PtraceInfo{Request: 16902, PID: rng.Uint32()}
	case event.Signal:
		e.Signal = event.SignalInfo{Signal: 9, PID: -1}
	}
}

func ours(e *event.Event) bool { return e != nil && (e.Kind == event.Ptrace || e.Kind == event.Signal) }

// What we write, the original's library reads into the original's structs and writes again as the very same bytes.
func TestTheOriginalsLibraryReadsAndWritesTheSameBytes(t *testing.T) {
	for seed := range uint64(20) {
		for _, m := range samples(seed) {
			if ours(m.Event) {
				continue
			}
			frame, err := AppendMessage(nil, &m)
			if err != nil {
				t.Fatal(err)
			}
			var theirs origMessage
			if err := msgpack.Unmarshal(frame[headerSize:], &theirs); err != nil {
				t.Fatalf("%+v: %v", m, err)
			}
			if set := pointers(theirs.Syscall); m.Event != nil && set != 1 {
				t.Errorf("%v: %d kinds are set", m.Event.Kind, set)
			}
			again, err := msgpack.Marshal(&theirs)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again, frame[headerSize:]) {
				t.Errorf("%+v:\nours   %x\ntheirs %x", m, frame[headerSize:], again)
			}
		}
	}
}

// pointers counts the kinds that are there.
func pointers(s *origSyscall) int {
	if s == nil {
		return 0
	}
	n := 0
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() && v.Type().Field(i).Name != "SpanContext" {
			n++
		}
	}
	return n
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for seed := range uint64(20) {
		for _, m := range samples(seed) {
			m.Seq, m.Dropped = seed, 3*seed
			frame, err := AppendMessage(nil, &m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Decode(frame[headerSize:])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(m, got, comparable); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// Earlier generations wrote fewer fields, other numbers and other types for some.
func TestEarlierGenerationsAreRead(t *testing.T) {
	type file1 struct {
		Filename     string
		CTime, MTime uint64
		Flags, Mode  uint32
		Credentials  *origCred
	}
	for name, c := range map[string]struct {
		message any
		want    func(event.Message) bool
	}{
		"2023: no type, old numbers": {
			map[string]any{"SeqNum": uint64(4), "Syscall": map[string]any{"Type": 6, "PID": 7, "Unlink": map[string]any{"File": file1{Filename: "/x"}}}},
			func(m event.Message) bool {
				return m.Event.Kind == event.Unlink && m.Event.PID == 7 && m.Event.File.Path == "/x"
			},
		},
		"early 2024: a trace id that is a number": {
			map[string]any{"Type": 2, "Syscall": map[string]any{"Type": 2, "PID": 7, "Fork": map[string]any{"PPID": 1}, "SpanContext": map[string]any{"SpanID": 3, "TraceID": 4}}},
			func(m event.Message) bool { return m.Event.PPID == 1 && m.Event.Span == event.Span{ID: 3, TraceLo: 4} },
		},
		"2025: an internal Socket": {
			map[string]any{"Type": 2, "Syscall": map[string]any{"Type": 24, "Connect": origSock{Port: 5}, "Socket": map[string]any{"AddressFamily": 2, "Protocol": 6, "SocketType": 1}}},
			func(m event.Message) bool { return m.Event.Kind == event.Connect && m.Event.Sock.Port == 5 },
		},
		"an internal Socket alone": {
			map[string]any{"Type": 2, "Syscall": map[string]any{"Type": 0, "Socket": map[string]any{"AddressFamily": 2}}},
			func(m event.Message) bool { return m.Event.Kind == event.Unknown },
		},
		"a hello without a container": {
			map[string]any{"Type": 1, "Hello": map[string]any{"NSID": 5}},
			func(m event.Message) bool { return m.Hello.NSID == 5 && m.Hello.Mode == event.UnknownMode },
		},
		"raw bytes of an address": {
			map[string]any{"Type": 2, "Syscall": map[string]any{"Type": 25, "Bind": map[string]any{"Addr": []byte{127, 0, 0, 1}}}},
			func(m event.Message) bool { return m.Event.Sock.IP == netip.MustParseAddr("127.0.0.1") },
		},
		"text of an address": {
			map[string]any{"Type": 2, "Syscall": map[string]any{"Type": 25, "Bind": map[string]any{"Addr": "::1"}}},
			func(m event.Message) bool { return m.Event.Sock.IP == netip.MustParseAddr("::1") },
		},
		"kinds of the future": {
			map[string]any{"Type": 2, "Syscall": map[string]any{"Type": 77, "PID": 9, "Teleport": map[string]any{"To": []any{1, "x", nil}}}},
			func(m event.Message) bool { return m.Event.Kind == event.Unknown && m.Event.PID == 9 },
		},
		"a message of the future": {
			map[string]any{"Type": 9, "Weather": "fine"},
			func(m event.Message) bool { return m.Event == nil && m.Hello == nil && !m.Goodbye },
		},
	} {
		b, err := msgpack.Marshal(c.message)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(b)
		if err != nil || !c.want(m) {
			t.Errorf("%s: %+v %v", name, m.Event, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	want := event.Answer{Interest: &event.Interest{Kinds: event.SetOf(event.Exec, event.Open, event.Signal), OpenFlags: 3, Signals: 1 << 9, SparedOpens: 1 << 16, UnlessOpens: 6}, Ack: 7}
	frame, err := AppendAnswer(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadAnswer(bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTooLargeAMessageIsNotWritten(t *testing.T) {
	huge := &event.Message{Event: &event.Event{Kind: event.Exec, Exec: event.ExecInfo{Args: []string{string(make([]byte, MaxFrame))}}}}
	dst := []byte("before")
	out, err := AppendMessage(dst, huge)
	if err == nil || string(out) != "before" {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range samples(1) {
		frame, _ := AppendMessage(nil, &m)
		f.Add(frame[headerSize:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		frame, err := AppendMessage(nil, &m)
		if err != nil {
			t.Skip("larger than a frame when written at full width")
		}
		if m.Hello == nil && m.Event == nil && !m.Goodbye || m.Event != nil && m.Event.Kind == event.Unknown {
			return // says nothing that could be compared
		}
		again, err := NewReader(bytes.NewReader(frame)).Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again, comparable, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	frame, _ := AppendAnswer(nil, &event.Answer{Interest: &event.Interest{Kinds: event.Everything}, Ack: 5})
	f.Add(frame[headerSize:])
	f.Fuzz(func(_ *testing.T, b []byte) { DecodeAnswer(b) })
}

func BenchmarkDecode(b *testing.B) {
	m := samples(1)[5]
	frame, _ := AppendMessage(nil, &m)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(frame[headerSize:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendMessage(b *testing.B) {
	m := samples(1)[5]
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = AppendMessage(dst[:0], &m)
	}
}
