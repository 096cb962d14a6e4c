package probe

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"golang.org/x/net/bpf"
)

// magic waits for UDP packets to port 4444 that begin with a magic number, as backdoors do.
func magic(t *testing.T) []byte {
	t.Helper()
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 36, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 4444, SkipFalse: 2},
		bpf.LoadAbsolute{Off: 42, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0x5293, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 65535},
	})
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for _, i := range program {
		raw = binary.NativeEndian.AppendUint16(raw, i.Op)
		raw = append(raw, i.Jt, i.Jf)
		raw = binary.NativeEndian.AppendUint32(raw, i.K)
	}
	return raw
}

func TestASocketsFilterIsReadByRules(t *testing.T) {
	raw := magic(t)
	e, found := engineWith(t, policyOf(`setsockopt.used_immediates == 21139 && setsockopt.filter_hash != "" && setsockopt.filter_instructions =~ "*#4444*" && !setsockopt.is_filter_truncated`, ""))
	e.Take(testNS, event.Container{}, &event.Event{Kind: event.Setsockopt, PID: 7, Sockopt: event.Sockopt{Filter: raw, FilterLen: 6}})
	if len(*found) != 1 || (*found)[0].Sockopt.FilterHash != filterHash(raw) {
		t.Errorf("%d detections", len(*found))
	}
	if got := immediates(raw); !slices.Equal(got, []int64{4444, 21139}) {
		t.Errorf("immediates %v", got)
	}
	for _, odd := range [][]byte{nil, {1}, raw[:11], make([]byte, 4096)} { // whatever a process hands to the kernel
		instructions(odd)
		immediates(odd)
	}
	if filterHash(nil) != "" {
		t.Error("no filter has a hash")
	}
}

// What a call was given can be asked for by its own names, too.
func TestArgumentsOfCalls(t *testing.T) {
	for name, expression := range map[string]string{
		"open":   `open.syscall.path == "/srv/a.txt" && open.syscall.flags & O_CREAT > 0 && open.syscall.mode == 384`,
		"chmod":  `chmod.syscall.mode & S_ISUID > 0`,
		"chown":  `chown.syscall.uid == 0 && chown.syscall.gid == -1`,
		"unlink": `unlink.syscall.flags == AT_REMOVEDIR`,
		"rename": `rename.syscall.destination.path == "/srv/b.txt"`,
		"mount":  `mount.syscall.fs_type == "bind" && mount.syscall.mountpoint.path == "/mnt" && mount.syscall.source.path == "/"`,
		"module": `load_module.argv == "b" && load_module.argv[0] == "a"`,
		"exec":   `exec.syscall.path == "/usr/bin/tee"`,
	} {
		if name == "exec" {
			tell(t, expression, event.Event{})
			continue
		}
		c := Context{Event: new(event.Event), Process: &Process{Program: unknownProgram}}
		*c.Event = recorded[name].event
		program, err := secl.Compile(NewModel(), expression, &secl.Env{})
		if err != nil || !program.Eval(&c) {
			t.Errorf("%s is not true: %v", expression, err)
		}
	}
}
