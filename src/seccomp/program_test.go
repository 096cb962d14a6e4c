package seccomp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

var machines = []string{"amd64", "arm64"}

var abis = []syscalls.ABI{syscalls.AMD64, syscalls.I386, syscalls.X32, syscalls.ARM64, syscalls.ARM}

func compile(t testing.TB, list []syscalls.ABI, want Trap) *machine {
	t.Helper()
	code, err := Program(list, want)
	if err != nil {
		t.Fatal(err)
	}
	return newMachine(t, code)
}

// variations are interests that reach every branch: nothing, all, each kind alone and left out, and each narrowing.
func variations() map[string]Trap {
	all := map[string]Trap{"nothing": {}, "everything": TrapOf(event.All())}
	for _, kind := range event.Kinds() {
		only := TrapOf(event.Interest{Kinds: event.SetOf(kind)})
		all[fmt.Sprintf("only %d %v", kind, kind)] = only
		all[fmt.Sprintf("without %d %v", kind, kind)] = TrapOf(event.Interest{Kinds: event.Everything &^ event.SetOf(kind)})
	}
	narrow := TrapOf(event.Interest{
		Kinds: event.Everything, OpenFlags: unix.O_CREAT | unix.O_TRUNC, Signals: 1<<unix.SIGKILL | 1<<unix.SIGSTOP | 1<<63,
	})
	narrow.PrctlOptions = []int32{unix.PR_SET_PTRACER, unix.PR_SET_DUMPABLE, unix.PR_SET_DUMPABLE, -1}
	all["narrowed"] = narrow
	all["write opens"] = TrapOf(event.Interest{Kinds: event.SetOf(event.Open), OpenFlags: unix.O_WRONLY | unix.O_RDWR})
	all["no folders unless written"] = TrapOf(event.Interest{
		Kinds: event.SetOf(event.Open), SparedOpens: unix.O_DIRECTORY | unix.O_PATH, UnlessOpens: unix.O_WRONLY | unix.O_RDWR,
	})
	all["no folders"] = TrapOf(event.Interest{Kinds: event.SetOf(event.Open), SparedOpens: unix.O_DIRECTORY})
	all["signal 0"] = TrapOf(event.Interest{Kinds: event.SetOf(event.Signal), Signals: 1})
	all["all signals with a name"] = TrapOf(event.Interest{Kinds: event.SetOf(event.Signal), Signals: ^uint64(0)})
	all["no prctl option"] = Trap{Interest: event.All(), PrctlOptions: []int32{}}
	return all
}

// values are arguments around every limit that a check can have.
func values() []uint64 {
	list := []uint64{0, 1, 2, 3, 62, 63, 64, 65, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 | 9, 1 << 63, ^uint64(0)}
	for n := range uint64(20) {
		list = append(list, n)
	}
	for bit := range 32 {
		list = append(list, 1<<bit, 1<<bit|1<<40)
	}
	return append(list, unix.PR_SET_PTRACER, unix.PR_SET_DUMPABLE)
}

func numbersToTry() []uint32 {
	var list []uint32
	for nr := range uint32(560) {
		list = append(list, nr, nr|syscalls.X32Bit)
	}
	return append(list, 1023, 1024, syscalls.X32Bit-1, 1<<31-1, 1<<31, ^uint32(0)-1, ^uint32(0))
}

// answer is the plain table's.
func answer(want *Trap, arch, nr uint32, args *[6]uint64) uint32 {
	abi, known := syscalls.Identify(arch, nr)
	switch {
	case !known:
		return foreign
	case want.Wants(syscalls.Lookup(abi, nr), args):
		return tracked(abi)
	}
	return allow
}

func TestProgramAnswersAsTheTable(t *testing.T) {
	for name, want := range variations() {
		for _, goarch := range machines {
			m := compile(t, syscalls.ABIsOf(goarch), want)
			for _, abi := range syscalls.ABIsOf(goarch) {
				compareNumbers(t, name, m, abi, &want)
				compareArguments(t, name, m, abi, &want)
			}
		}
	}
}

func compareNumbers(t *testing.T, name string, m *machine, abi syscalls.ABI, want *Trap) {
	t.Helper()
	for _, nr := range numbersToTry() {
		for _, value := range []uint64{0, ^uint64(0)} {
			compare(t, name, m, abi, want, nr, &[6]uint64{value, value, value, value, value, value})
		}
	}
}

func compareArguments(t *testing.T, name string, m *machine, abi syscalls.ABI, want *Trap) {
	t.Helper()
	for _, n := range syscalls.Numbers(abi) {
		if c := want.check(n.Row); c.test > trap {
			for _, value := range values() {
				var args [6]uint64
				args[c.arg] = value
				compare(t, name, m, abi, want, n.NR, &args)
			}
		}
	}
}

func compare(t *testing.T, name string, m *machine, abi syscalls.ABI, want *Trap, nr uint32, args *[6]uint64) {
	t.Helper()
	if got, need := m.run(t, abi.AuditArch(), nr, args), answer(want, abi.AuditArch(), nr, args); got != need {
		t.Fatalf("%s: %v call %#x (%s) %#x: action %#x, the table says %#x", name, abi, nr, syscalls.Name(abi, nr), *args, got, need)
	}
}

func TestForeignCallsStop(t *testing.T) {
	want := TrapOf(event.All())
	for _, goarch := range machines {
		m := compile(t, syscalls.ABIsOf(goarch), want)
		for _, arch := range []uint32{0, unix.AUDIT_ARCH_S390X, unix.AUDIT_ARCH_MIPS, unix.AUDIT_ARCH_ARMEB, ^uint32(0)} {
			if got := m.run(t, arch, 0, &[6]uint64{}); got != foreign {
				t.Errorf("%s: a call of architecture %#x: action %#x, want %#x", goarch, arch, got, uint32(foreign))
			}
		}
	}
}

func TestEveryABIAlone(t *testing.T) {
	want := TrapOf(event.All())
	for _, alone := range abis {
		m := compile(t, []syscalls.ABI{alone}, want)
		for _, other := range abis {
			for _, nr := range []uint32{0, 1, 5, 57, 600} {
				if other == syscalls.X32 {
					nr |= syscalls.X32Bit
				}
				need := uint32(foreign)
				if other == alone {
					need = answer(&want, other.AuditArch(), nr, &[6]uint64{})
				}
				if got := m.run(t, other.AuditArch(), nr, &[6]uint64{}); got != need {
					t.Errorf("filter for %v, %v call %#x: action %#x, want %#x", alone, other, nr, got, need)
				}
			}
		}
	}
}

func TestCalibrationCallStops(t *testing.T) {
	for name, want := range variations() {
		if want.Kinds == 0 {
			continue
		}
		for _, goarch := range machines {
			native := syscalls.ABIsOf(goarch)[0]
			m := compile(t, syscalls.ABIsOf(goarch), want)
			for _, n := range syscalls.Numbers(native) {
				if n.Row.Name != CalibrationCall {
					continue
				}
				if got := m.run(t, native.AuditArch(), n.NR, &[6]uint64{uint64(CalibrationArgument)}); got != tracked(native) {
					t.Errorf("%s on %s: action %#x, want a stop", name, goarch, got)
				}
			}
		}
	}
}

func TestNothingTrapsNothing(t *testing.T) {
	for _, abi := range abis {
		m := compile(t, []syscalls.ABI{abi}, Trap{})
		for _, n := range syscalls.Numbers(abi) {
			if got := m.run(t, abi.AuditArch(), n.NR, &[6]uint64{}); got != allow {
				t.Errorf("%v %s: action %#x, want none", abi, n.Row.Name, got)
			}
		}
	}
}

func TestProgramNeedsAnABI(t *testing.T) {
	if _, err := Program(nil, Trap{}); err == nil {
		t.Error("no ABI, yet no error")
	}
}

// TestNarrowingCutsNoEvent draws calls and interests, and works out by itself, from what the kinds mean, whether the call
// is an event that the interest asks for: then it must stop.
func TestNarrowingCutsNoEvent(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pool := values()
	asked := 0
	for range 200 {
		want := TrapOf(event.Interest{
			Kinds:     event.Set(random.Uint64()) & event.Everything,
			OpenFlags: uint32(random.Uint64() & random.Uint64() & random.Uint64()),
			Signals:   random.Uint64() & random.Uint64(),
		})
		if random.IntN(2) == 0 { // no flag is asked for, some are spared
			want.OpenFlags, want.SparedOpens, want.UnlessOpens = 0, random.Uint32()&random.Uint32(), random.Uint32()&random.Uint32()
		}
		for _, goarch := range machines {
			m := compile(t, syscalls.ABIsOf(goarch), want)
			for _, abi := range syscalls.ABIsOf(goarch) {
				for _, n := range syscalls.Numbers(abi) {
					var args [6]uint64
					for i := range args {
						args[i] = pool[random.IntN(len(pool))]
					}
					if !matches(want.Interest, n.Row, &args) {
						continue
					}
					asked++
					if got := m.run(t, abi.AuditArch(), n.NR, &args); got != tracked(abi) {
						t.Fatalf("%+v: %v %s %#x would match and is let pass", want, abi, n.Row.Name, args)
					}
				}
			}
		}
	}
	if asked == 0 {
		t.Fatal("no call ever matched: the test proves nothing")
	}
}

// matches says whether the call, should it succeed, is an event that the interest asks for.
func matches(interest event.Interest, row *syscalls.Row, args *[6]uint64) bool {
	kind := row.KindOf(row.FlagsOf(args))
	if row.Call == syscalls.Socketcall {
		behind := syscalls.BehindSocketcall(uint32(args[0]))
		if behind == nil {
			return false
		}
		kind = behind.Kind
	}
	if kind == event.Unknown || !interest.Kinds.Has(kind) {
		return false
	}
	switch kind {
	case event.Open:
		inMemory := row.At[syscalls.How] >= 0
		return inMemory || interest.WantsOpen(row.FlagsOf(args))
	case event.Signal:
		signal, _ := row.Arg(syscalls.Signo, args)
		return interest.Signals == 0 || uint32(signal) >= 64 || interest.Signals>>uint32(signal)&1 != 0
	case event.Setrlimit:
		limit, _ := row.Arg(syscalls.Value, args)
		return limit != 0
	}
	return true
}

func TestWantsAllocatesNothing(t *testing.T) {
	want, args := variations()["narrowed"], &[6]uint64{}
	for _, n := range syscalls.Numbers(syscalls.I386) {
		if allocations := testing.AllocsPerRun(10, func() { want.Wants(n.Row, args) }); allocations != 0 {
			t.Errorf("%s: %v allocations", n.Row.Name, allocations)
		}
	}
}
