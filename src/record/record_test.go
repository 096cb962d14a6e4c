package record

import (
	"net/netip"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var addresses = cmpopts.EquateComparable(netip.Addr{})

type byNumber struct{}

func (byNumber) User(uid uint32) string  { return map[uint32]string{0: "root", 33: "www-data"}[uid] }
func (byNumber) Group(gid uint32) string { return map[uint32]string{0: "root", 33: "www-data"}[gid] }

func sample() (*Facts, *Program) {
	f := new(Facts)
	f.Reset(event.Exec, 42)
	f.Time, f.Retval = 7, -13
	f.Num = [6]uint64{41, 33, 33, 0, 0, ExecHasIDs}
	f.File.Path.Set([]byte("/usr/bin/id"))
	f.File.Known, f.File.Mode, f.File.UID, f.File.Inode = true, 0o100755, 33, 99
	f.Text[0].Set([]byte("pts3"))
	return f, &Program{Args: []byte("id\x00-u\x00"), Envs: []byte("LANG\x00"), EnvsTruncated: true}
}

func TestParseGivesBackWhatWasAppended(t *testing.T) {
	f, p := sample()
	got := new(Facts)
	gotProgram, err := Parse(Append(nil, f, p), got)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Event(f, p, byNumber{}), Event(got, gotProgram, byNumber{}), addresses); diff != "" {
		t.Error(diff)
	}
}

func TestEventOfAnExec(t *testing.T) {
	f, p := sample()
	want := &event.Event{
		Kind: event.Exec, PID: 42, Time: 7, Retval: -13, PPID: 41,
		File: event.File{Path: "/usr/bin/id", Inode: 99, Mode: 0o100755, HasOwner: true, UID: 33, User: "www-data", Group: "root"},
		Exec: event.ExecInfo{
			TTY: "pts3", Args: []string{"id", "-u"}, Envs: []string{"LANG"}, EnvsTruncated: true,
			Credentials: &event.Credentials{UID: 33, EUID: 33, User: "www-data", EUser: "www-data", Group: "root", EGroup: "root"},
		},
	}
	if diff := cmp.Diff(want, Event(f, p, byNumber{}), addresses); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyArgumentsSurvive(t *testing.T) {
	if diff := cmp.Diff([]string{"a", "", "b", ""}, split([]byte("a\x00\x00b\x00\x00"))); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	facts, program := sample()
	f.Add(Append(nil, facts, program))
	f.Add(Append(nil, facts, nil)[:fixed])
	f.Fuzz(func(t *testing.T, b []byte) {
		got := new(Facts)
		p, err := Parse(b, got)
		if err != nil {
			return
		}
		Event(got, p, byNumber{})
		again := new(Facts)
		if _, err := Parse(Append(nil, got, p), again); err != nil {
			t.Fatalf("what was parsed does not parse again: %v", err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	f, p := sample()
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		dst = Append(dst[:0], f, p)
	}
}
