package syscalls

import (
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
)

var every = []ABI{AMD64, I386, X32, ARM64, ARM}

func TestEveryRowHasANumber(t *testing.T) {
	numbered := map[string]bool{}
	for _, abi := range every {
		for _, n := range Numbers(abi) {
			numbered[n.Row.Name] = true
		}
	}
	for _, c := range calls {
		if !numbered[c.name] {
			t.Errorf("%s has no number in any ABI", c.name)
		}
	}
	if len(rows) != len(calls) {
		t.Errorf("%d calls make %d rows: one is there twice", len(calls), len(rows))
	}
}

func TestEveryWordIsARole(t *testing.T) {
	used := map[Role]bool{}
	for _, c := range calls {
		seen := map[string]bool{}
		for _, word := range strings.Fields(c.args) {
			role, known := words[word]
			if !known && word != "_" {
				t.Errorf("%s: %q is no role", c.name, word)
			}
			if known && seen[word] {
				t.Errorf("%s has two arguments %q", c.name, word)
			}
			seen[word], used[role] = true, used[role] || known
		}
	}
	for role := range roleCount {
		if !used[role] {
			t.Errorf("no call has role %d", role)
		}
	}
	for name := range exceptions {
		if rows[name] == nil {
			t.Errorf("exception for %s, which is not tracked", name)
		}
	}
}

func TestEveryKindHasACall(t *testing.T) {
	had := event.SetOf(event.Exec, event.Fork, event.Exit) // ptrace reports them
	for _, row := range rows {
		had |= event.SetOf(row.Kind, row.AltKind)
	}
	for _, kind := range event.Kinds() {
		if !had.Has(kind) {
			t.Errorf("no call yields %v", kind)
		}
	}
}

func TestNumbersAndLookupAgree(t *testing.T) {
	for _, abi := range every {
		last := int64(-1)
		for _, n := range Numbers(abi) {
			if int64(n.NR) <= last {
				t.Errorf("%v: %d does not ascend", abi, n.NR)
			}
			last = int64(n.NR)
			if Lookup(abi, n.NR) != n.Row || Name(abi, n.NR) == "" {
				t.Errorf("%v: %d is not found again", abi, n.NR)
			}
			if found, known := Identify(abi.AuditArch(), n.NR); !known || found != abi {
				t.Errorf("%v: %d is identified as %v, %t", abi, n.NR, found, known)
			}
		}
	}
}

func TestLookupOutOfRange(t *testing.T) {
	for _, abi := range append(every, abiCount, 255) {
		for _, nr := range []uint32{tableSize, tableSize | X32Bit, 1 << 31, ^uint32(0)} {
			if Lookup(abi, nr) != nil || Name(abi, nr) != "" {
				t.Errorf("%d, %d: found", abi, nr)
			}
		}
	}
	if none := ABI(255); none.String() == "" || none.AuditArch() != 0 || none.PointerSize() == 0 {
		t.Errorf("an ABI that is none is %v", none)
	}
	if Lookup(I386, X32Bit|5) != nil {
		t.Error("i386 takes the bit of x32")
	}
	if _, known := Identify(0, 0); known {
		t.Error("architecture 0 is known")
	}
}

// TestOldKernelsShareTheX32Table is about kernels before 5.4, where setsockopt has two numbers in both ABIs.
func TestOldKernelsShareTheX32Table(t *testing.T) {
	for _, n := range Numbers(AMD64) {
		if Lookup(X32, n.NR|X32Bit) == nil {
			t.Errorf("%s is not found with the bit", n.Row.Name)
		}
	}
	for _, n := range Numbers(X32) {
		if Lookup(AMD64, n.NR&^X32Bit) == nil {
			t.Errorf("%s is not found without the bit", n.Row.Name)
		}
	}
}

func TestBehindSocketcall(t *testing.T) {
	for request, name := range socketcalls {
		row := BehindSocketcall(uint32(request))
		if (row == nil) != (name == "") || row != nil && row.Name != name {
			t.Errorf("request %d: %v, want %q", request, row, name)
		}
	}
	if BehindSocketcall(^uint32(0)) != nil {
		t.Error("a request out of range is found")
	}
}

func TestRowReadsArguments(t *testing.T) {
	args := &[6]uint64{0xffffffffffffff9c, 0x1000, 0x241, 0o644}
	openat := rows["openat"]
	if fd, ok := openat.Arg(Dirfd, args); !ok || int32(fd) != -100 {
		t.Errorf("the directory of openat is %d, %t", int32(fd), ok)
	}
	if _, ok := openat.Arg(Path2, args); ok {
		t.Error("openat has a second path")
	}
	if flags := openat.FlagsOf(args); flags != uint32(args[2]) {
		t.Errorf("the flags of openat are %#x", flags)
	}
	if flags := rows["creat"].FlagsOf(args); flags != creatFlags {
		t.Errorf("the flags of creat are %#x", flags)
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags uint32
		want  event.Kind
	}{
		{"unlinkat", 0, event.Unlink},
		{"unlinkat", atRemoveDir, event.Rmdir},
		{"unlink", atRemoveDir, event.Unlink},
		{"rmdir", 0, event.Rmdir},
		{"openat", ^uint32(0), event.Open},
	} {
		if got := rows[c.name].KindOf(c.flags); got != c.want {
			t.Errorf("%s with %#x is %v, want %v", c.name, c.flags, got, c.want)
		}
	}
}

func TestFollows(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags uint32
		want  bool
	}{
		{"chown", 0, true},
		{"lchown", 0, false},
		{"fchownat", 0, true},
		{"fchownat", atSymlinkNofollow, false},
		{"fchmodat", atSymlinkNofollow, true}, // the system call has no flags: what the register holds means nothing
		{"linkat", 0, false},
		{"linkat", atSymlinkFollow, true},
		{"rename", 0, false},
		{"umount2", umountNofollow, false},
		{"mount", 0, true},
	} {
		if got := rows[c.name].Follows(c.flags); got != c.want {
			t.Errorf("%s with %#x follows: %t, want %t", c.name, c.flags, got, c.want)
		}
	}
}

func TestWideID(t *testing.T) {
	for _, c := range []struct {
		name     string
		abi      ABI
		register uint64
		want     int32
	}{
		{"chown", I386, 0xffff, -1},
		{"chown", ARM, 0xffffffff, -1},
		{"chown", ARM, 0x1000a, 10},
		{"chown", AMD64, 0xffff, 0xffff},
		{"chown", X32, 0xffffffff, -1},
		{"chown32", I386, 0xffff, 0xffff},
		{"fchownat", I386, 0xffff, 0xffff},
		{"setfsuid", I386, 0xffff, -1},
		{"setfsuid", ARM64, 0xffffffffffffffff, -1},
	} {
		if got := rows[c.name].WideID(c.abi, c.register); got != c.want {
			t.Errorf("%s on %v: %#x is %d, want %d", c.name, c.abi, c.register, got, c.want)
		}
	}
}

func TestABIsOf(t *testing.T) {
	for _, goarch := range []string{"amd64", "arm64"} {
		list := ABIsOf(goarch)
		if len(list) == 0 || list[0].String() != goarch {
			t.Errorf("%s: the native ABI is not the first of %v", goarch, list)
		}
	}
	if list := ABIsOf("s390x"); list != nil {
		t.Errorf("s390x has %v", list)
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { Lookup(X32, X32Bit|2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	for b.Loop() {
		Lookup(AMD64, 257)
	}
}
