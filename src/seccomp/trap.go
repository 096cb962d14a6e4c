package seccomp

import (
	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/syscalls"
)

// Trap says which calls stop for the tracer. The zero Trap traps nothing.
type Trap struct {
	event.Interest
	// PrctlOptions narrows prctl(2) to these; nil: every option. Some programs call prctl for each allocation
	// (PR_SET_VMA) or thread (PR_SET_NAME).
	PrctlOptions []int32
}

// TrapOf traps what an interest asks for.
func TrapOf(interest event.Interest) Trap { return Trap{Interest: interest} }

// CalibrationCall and CalibrationArgument are a call that is trapped by every filter that traps anything: a tracer can
// make it in the tracee to learn how its kernel orders the stops. setfsuid(-1) changes nothing and can't fail.
const (
	CalibrationCall     = "setfsuid"
	CalibrationArgument = ^uint32(0)
)

var calibration = []int32{-1}

// Wants tells what the filter answers to a call: true for a stop. It serves where no filter is installed and every call
// stops, and allocates nothing. The row may be nil.
func (t *Trap) Wants(row *syscalls.Row, args *[6]uint64) bool {
	if row == nil {
		return false
	}
	c := t.check(row)
	return c.holds(args)
}

// check turns interest into what to look at in one call. Whatever the arguments can't decide is trapped.
func (t *Trap) check(row *syscalls.Row) check {
	if t.Kinds == 0 {
		return check{test: pass}
	}
	if row.Kind == event.Unknown {
		return t.bookkeeping(row)
	}
	if row.AltFlag != 0 {
		return t.eitherKind(row)
	}
	if t.Kinds.Has(row.Kind) {
		return t.narrow(row)
	}
	if row.Name == CalibrationCall {
		return check{test: listed, arg: row.At[syscalls.ID], list: calibration}
	}
	return check{test: pass}
}

// bookkeeping calls are rare and concern everything that is looked at later.
func (t *Trap) bookkeeping(row *syscalls.Row) check {
	if row.Call != syscalls.Socketcall {
		return check{test: trap}
	}
	c := check{test: among, arg: row.At[syscalls.Request]}
	for request := range uint32(64) {
		if behind := syscalls.BehindSocketcall(request); behind != nil && t.Kinds.Has(behind.Kind) {
			c.mask |= 1 << request
		}
	}
	if c.mask == 0 {
		return check{test: pass}
	}
	return c
}

// eitherKind is for the call which is unlink or rmdir by a flag.
func (t *Trap) eitherKind(row *syscalls.Row) check {
	flag := check{arg: row.At[syscalls.Flags], mask: uint64(row.AltFlag)}
	switch plain, alt := t.Kinds.Has(row.Kind), t.Kinds.Has(row.AltKind); {
	case plain && alt:
		flag.test = trap
	case plain:
		flag.test = hasNone
	case alt:
		flag.test = hasBit
	}
	return flag
}

// narrow looks at the arguments of a call of a wanted kind.
func (t *Trap) narrow(row *syscalls.Row) check {
	switch row.Call {
	case syscalls.Open:
		return t.open(row)
	case syscalls.Signal:
		if t.Signals != 0 { // which has no bit for SIGRTMAX, 64
			return check{test: among, arg: row.At[syscalls.Signo], mask: t.Signals, beyond: true}
		}
	case syscalls.Prctl:
		if t.PrctlOptions != nil {
			return check{test: listed, arg: row.At[syscalls.Option], list: t.PrctlOptions}
		}
	case syscalls.Setrlimit:
		// getrlimit(3) is prlimit64 with a null pointer: far more frequent than setting, and no event.
		if row.At[syscalls.PID] >= 0 {
			return check{test: present, arg: row.At[syscalls.Value]}
		}
	}
	return check{test: trap}
}

// open traps always where the flags are in memory (openat2) or implied (creat), and memfd_create, whose flags are others.
func (t *Trap) open(row *syscalls.Row) check {
	flags := row.At[syscalls.Flags]
	switch {
	case flags < 0 || row.At[syscalls.Text] >= 0:
		return check{test: trap}
	case t.OpenFlags != 0:
		return check{test: hasBit, arg: flags, mask: uint64(t.OpenFlags)}
	case t.SparedOpens != 0:
		return check{test: spares, arg: flags, mask: uint64(t.SparedOpens), unless: t.UnlessOpens}
	}
	return check{test: trap}
}
