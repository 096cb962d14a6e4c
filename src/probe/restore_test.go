package probe

import (
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

var (
	oneFile   = event.File{Path: "/srv/a.txt", Inode: 9, Mode: 0o100640, HasOwner: true, UID: 3, GID: 4, User: "u", Group: "g", CTime: 15e17, MTime: 14e17}
	otherFile = event.File{Path: "/srv/b.txt", Inode: 9, Mode: 0o100600, HasOwner: true, UID: 5, GID: 6, CTime: 15e17, MTime: 14e17}
	address   = event.Sock{IP: netip.MustParseAddr("198.51.100.7"), Family: unix.AF_INET, Port: 4444, Protocol: 6}
)

// recorded are events with everything that their kind has, and a rule that asks for it.
var recorded = map[string]struct {
	expression string
	event      event.Event
	lost       string // begins what the layout has no place for; empty where nothing but the exact result is
}{
	"exec":       {`exec.file.name == "tee" && exec.args_flags in ["a"] && process.parent.file.name == "sh" && process.ancestors.file.name == "init"`, event.Event{}, ""},
	"exit":       {`exit.cause == SIGNALED && exit.code == 11`, event.Event{Kind: event.Exit, Exit: event.ExitInfo{Code: 11, Cause: event.Signaled}}, ""},
	"open":       {`open.flags & O_APPEND > 0 && open.retval == EACCES || open.retval == -13`, event.Event{Kind: event.Open, Retval: -13, Flags: unix.O_APPEND | unix.O_WRONLY | unix.O_CREAT, Mode: 0o600, File: oneFile}, ""},
	"memfd":      {`open.file.name == "memfd:x" && open.file.path == ""`, event.Event{Kind: event.Open, File: event.File{Path: "memfd:x", HasOwner: true}}, ""},
	"unlink":     {`unlink.file.path == "/srv/a.txt" && unlink.flags == 512`, event.Event{Kind: event.Unlink, File: oneFile, Flags: 512}, ""},
	"rmdir":      {`rmdir.file.uid == 3`, event.Event{Kind: event.Rmdir, File: oneFile}, ""},
	"chdir":      {`chdir.file.group == "g"`, event.Event{Kind: event.Chdir, File: oneFile}, ""},
	"mkdir":      {`mkdir.file.destination.mode == 448`, event.Event{Kind: event.Mkdir, File: oneFile, Mode: 0o700}, ""},
	"chmod":      {`chmod.file.destination.rights & S_ISUID > 0`, event.Event{Kind: event.Chmod, File: oneFile, Mode: 0o4755}, ""},
	"chown":      {`chown.file.destination.uid == 0 && chown.file.destination.gid == -1`, event.Event{Kind: event.Chown, File: oneFile, Owner: event.Owner{GID: -1, User: "root"}}, ""},
	"utimes":     {`utimes.file.extension == ".txt"`, event.Event{Kind: event.Utimes, File: oneFile, Times: event.Times{Access: 11e17, Modification: 12e17}}, ""},
	"rename":     {`rename.file.destination.path == "/srv/b.txt"`, event.Event{Kind: event.Rename, File: oneFile, Destination: otherFile}, ""},
	"link":       {`link.file.destination.uid == 5`, event.Event{Kind: event.Link, File: oneFile, Destination: otherFile}, ""},
	"setuid":     {`setuid.uid == 0 && setuid.euid == -1`, event.Event{Kind: event.SetUID, IDs: event.IDs{Effective: -1, Name: "root"}}, ""},
	"setgid":     {`setgid.gid == 4 && setgid.group == "g"`, event.Event{Kind: event.SetGID, IDs: event.IDs{ID: 4, Effective: 4, Name: "g", EffectiveName: "g"}}, ""},
	"setfsuid":   {`setuid.fsuid == 7`, event.Event{Kind: event.SetFSUID, IDs: event.IDs{ID: 7, Effective: -1, Name: "x"}}, ""},
	"setfsgid":   {`setgid.fsgid == 7`, event.Event{Kind: event.SetFSGID, IDs: event.IDs{ID: 7, Effective: -1}}, ""},
	"capset":     {`capset.cap_effective & CAP_SYS_ADMIN > 0`, event.Event{Kind: event.Capset, Caps: event.Caps{Effective: 1 << 21, Permitted: 1<<21 | 1}}, ""},
	"module":     {`load_module.args == "a b" && load_module.file.path == "/srv/a.txt"`, event.Event{Kind: event.LoadModule, File: oneFile, Module: event.Module{Name: "m", Args: "a b"}}, ""},
	"unload":     {`unload_module.name == "m"`, event.Event{Kind: event.UnloadModule, Module: event.Module{Name: "m"}}, ""},
	"mount":      {`mount.fs_type == "bind" && mount.mountpoint.path == "/mnt"`, event.Event{Kind: event.Mount, Mount: event.MountInfo{Source: "/", Target: "/mnt", FSType: "bind"}}, ""},
	"connect":    {`connect.addr.ip in 198.51.100.0/24 && connect.addr.port == 4444`, event.Event{Kind: event.Connect, Sock: address, Retval: -115}, ""},
	"bind":       {`bind.addr.family == AF_INET && bind.protocol == IP_PROTO_TCP`, event.Event{Kind: event.Bind, Sock: address}, ""},
	"accept":     {`accept.addr.is_public`, event.Event{Kind: event.Accept, Sock: address}, "accept.protocol"},
	"setsockopt": {`setsockopt.optname == SO_ATTACH_FILTER`, event.Event{Kind: event.Setsockopt, Sockopt: event.Sockopt{Family: 2, Protocol: 17, Type: 3, Level: 1, Name: 26, FilterLen: 4}}, "setsockopt.filter_*"},
	"prctl":      {`prctl.option == PR_SET_NAME && prctl.new_name == "kworker"`, event.Event{Kind: event.Prctl, Prctl: event.PrctlInfo{Option: 15, NewName: "kworker"}}, ""},
	"socket":     {`socket.domain == AF_INET && socket.type == SOCK_RAW`, event.Event{Kind: event.Socket, Socket: event.SocketInfo{Domain: 2, Type: 3, Protocol: 1}}, ""},
	"umount":     {`umount.retval == 0`, event.Event{Kind: event.Umount}, ""},
	"ptrace":     {`ptrace.request == PTRACE_ATTACH && ptrace.tracee.pid == 1`, event.Event{Kind: event.Ptrace, Ptrace: event.PtraceInfo{Request: 16, PID: 1}}, "ptrace.tracee.*"},
	"signal":     {`signal.type == SIGKILL && signal.pid == 1`, event.Event{Kind: event.Signal, Signal: event.SignalInfo{Signal: 9, PID: 1}}, ""},
}

func TestARecordedEventHitsTheSameRulesAgain(t *testing.T) {
	for name, c := range recorded {
		t.Run(name, func(t *testing.T) { restoredOf(t, c.expression, c.event, c.lost) })
	}
}

func restoredOf(t *testing.T, expression string, original event.Event, unkept string) {
	text, err := json.Marshal(tell(t, expression, original))
	if err != nil {
		t.Fatal(err)
	}
	var read Detection
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	context, lost, err := read.Context()
	if err != nil {
		t.Fatal(err)
	}
	lost = slices.DeleteFunc(lost, func(what string) bool {
		return strings.HasSuffix(what, "(but for its sign)") || strings.Contains(what, "secrets are blanked out")
	})
	if got := strings.Join(lost, ", "); !strings.HasPrefix(got, unkept) || unkept == "" && got != "" {
		t.Errorf("lost %q, want %q", got, unkept)
	}
	program, err := secl.Compile(NewModel(), expression, &secl.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if !program.Eval(context) {
		t.Errorf("%s is not true any more", expression)
	}
	if original.Kind == event.Unknown {
		return // the exec that tell makes
	}
	original.PID, original.Time, original.ContainerID = 41, 17e17, "4f1c"
	if original.Kind == event.Accept {
		original.Sock.Protocol = 0
	}
	original.Retval, context.Event.Retval = 0, 0
	if diff := cmp.Diff(&original, context.Event, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// The second detection tells the same of the process as the first, so every field of it has come back.
func TestARecordedProcessComesBack(t *testing.T) {
	first := tell(t, recorded["open"].expression, recorded["open"].event)
	context, lost, err := first.Context()
	if err != nil || !slices.ContainsFunc(lost, func(what string) bool { return strings.HasPrefix(what, "process.args") }) {
		t.Fatal(lost, err)
	}
	if diff := cmp.Diff(first.Process, processTree(context.Process)); diff != "" {
		t.Error(diff)
	}
	if context.Process.ContainerCreated != 2e18 {
		t.Errorf("the container was made at %d", context.Process.ContainerCreated)
	}
}

// An event that a person writes needs no more than what the rule asks for.
func TestAnEventWrittenByHand(t *testing.T) {
	var d Detection
	text := `{"evt": {"name": "open"}, "file": {"path": "/etc/shadow", "flags": ["O_WRONLY", "O_TRUNC"]}, "process": {"executable": {"path": "/usr/bin/vi"}}}`
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	c, _, err := d.Context()
	if err != nil {
		t.Fatal(err)
	}
	program, err := secl.Compile(NewModel(), `open.flags & O_TRUNC > 0 && process.comm == "vi" && process.uid == 0 && !process.is_thread`, &secl.Env{})
	if err != nil || !program.Eval(c) {
		t.Errorf("not true: %v", err)
	}
}

func TestWhatIsNoEventIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                                     "evt.name is missing",
		`{"evt":{"name":"bpf"}}`:                 `"bpf" is no event`,
		`{"evt":{"name":"open"},"date":"today"}`: `date: "today"`,
		`{"evt":{"name":"open"},"file":{"flags":["O_NOTHING"]}}`:                        `"O_NOTHING" is no flag`,
		`{"evt":{"name":"connect"},"connect":{"addr":{"ip":"here"}}}`:                   `"here" is no address`,
		`{"evt":{"name":"exec"},"process":{"credentials":{"cap_effective":["CAP_X"]}}}`: `"CAP_X"`,
		`{"evt":{"name":"bind"},"bind":{"addr":{"family":"AF_NONE"}}}`:                  `"AF_NONE"`,
	} {
		var d Detection
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Context(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// FuzzContext reads what anybody may have put into a file of detections.
func FuzzContext(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no recorded detections", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d Detection
		if json.Unmarshal(text, &d) != nil {
			return
		}
		if c, _, err := d.Context(); err == nil && (c.Event == nil || c.Process == nil || c.Process.Program == nil) {
			t.Fatal("an event without a process")
		}
	})
}
