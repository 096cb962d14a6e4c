package ptrace

import (
	"bytes"
	"errors"
	"time"

	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// Errors of Remote.
var (
	ErrOwnFilter = errors.New("it has a seccomp filter of its own, which may forbid the call")
	ErrGone      = errors.New("it has ended")
	ErrNoEntry   = errors.New("there is no instruction in its vDSO by which its kind of program calls the kernel")
	ErrBusy      = errors.New("it does not stand still")
)

// Remote makes system calls in the name of a tracee that stands in a stop of an interrupt or in a group-stop. In the end
// the tracee stands in such a stop again with the registers that it had: from there the kernel restarts the call that was
// interrupted, by its own rules.
type Remote struct {
	TID   int
	ABI   syscalls.ABI // by which calls are made
	Other func(Stop)   // acts on what comes in between, a signal for one, and lets the tracee go on
	// Exempt has the calls made although a seccomp filter of the tracee's own might refuse them or kill for them
	// (PTRACE_O_SUSPEND_SECCOMP, Linux 4.3; needs CAP_SYS_ADMIN).
	Exempt bool
	// Before is how many syscall-stops the last call had before its seccomp-stop; -1: it had none.
	Before int

	entry uint64 // address of an instruction that calls the kernel
	saved registers
}

// haltLimit is how long a tracee may take to stop: a parent in vfork(2) doesn't before its child has executed or ended.
const haltLimit = 2 * time.Second

// Borrow looks for a way to make calls in a stopped tracee, whose vDSO lies from start to end.
func (r *Remote) Borrow(start, end uint64) error {
	if r.saved.read(r.TID) != 0 {
		return ErrGone
	}
	abi, instruction := r.saved.door()
	if instruction == nil || end-start > 1<<20 {
		return ErrNoEntry
	}
	text := make([]byte, end-start)
	var m Memory
	at := bytes.Index(text[:m.Read(r.TID, start, text)], instruction)
	if at < 0 {
		return ErrNoEntry
	}
	r.ABI, r.entry = abi, start+uint64(at)
	return nil
}

// Call makes one call, which must be one that doesn't block, and gives its result: a negative errno on failure.
func (r *Remote) Call(number uint32, args ...uint64) (int64, error) {
	for range 20 {
		regs := r.saved
		regs.call(r.entry, number, args)
		if regs.write(r.TID) != 0 {
			return 0, ErrGone
		}
		if r.Exempt && SetOptions(r.TID, Options|unix.PTRACE_O_SUSPEND_SECCOMP) != 0 {
			return 0, ErrOwnFilter
		}
		result, disturbed, err := r.through()
		if err != nil || !disturbed {
			return result, err
		}
		if _, err := r.halt(); err != nil {
			return 0, err
		}
		if r.saved.read(r.TID) != 0 {
			return 0, ErrGone
		}
	}
	return 0, ErrBusy
}

// through lets the tracee run through its call. A signal that comes before it is delivered first, with the tracee's own
// registers; then the call has not been made.
func (r *Remote) through() (result int64, disturbed bool, err error) {
	r.Before = -1
	for stops := 0; ; {
		stop, err := r.next(true)
		switch {
		case err != nil:
			return 0, false, err
		case stop.Reason == SignalStop && stops == 0:
			r.restore()
			r.Other(stop)
			return 0, true, nil
		case stop.Reason == SeccompStop:
			r.Before = stops
		case stop.Reason == SyscallStop:
			if stops++; stops == 2 {
				result, err = r.result()
				return result, false, err
			}
		}
	}
}

// next lets the tracee run to its next stop.
func (r *Remote) next(untilSyscall bool) (Stop, error) {
	if Resume(r.TID, untilSyscall, 0) != 0 {
		return Stop{}, ErrGone
	}
	stop, errno := WaitFor(r.TID)
	for errno == unix.EINTR {
		stop, errno = WaitFor(r.TID)
	}
	if errno != 0 {
		return Stop{}, ErrGone
	}
	if !stop.Alive() {
		r.Other(stop)
		return Stop{}, ErrGone
	}
	return stop, nil
}

func (r *Remote) restore() {
	r.saved.write(r.TID)
	if r.Exempt {
		SetOptions(r.TID, Options)
	}
}

func (r *Remote) result() (int64, error) {
	var regs registers
	if regs.read(r.TID) != 0 {
		return 0, ErrGone
	}
	c := Call{ABI: r.ABI}
	regs.fill(&c)
	return c.Result, nil
}

// Return gives the tracee its registers back and says in which stop it stands.
func (r *Remote) Return() (Stop, error) {
	Interrupt(r.TID)
	for {
		stop, err := r.next(false)
		if err != nil {
			return Stop{}, err
		}
		r.restore()
		switch stop.Reason {
		case Trapped, GroupStop:
			return stop, nil
		case SignalStop:
			r.Other(stop)
			return r.halt()
		}
	}
}

// halt stops a running tracee.
func (r *Remote) halt() (Stop, error) {
	Interrupt(r.TID)
	for deadline := time.Now().Add(haltLimit); time.Now().Before(deadline); {
		stop, errno := Poll(r.TID)
		switch {
		case errno != 0 && errno != unix.EINTR:
			return Stop{}, ErrGone
		case stop.TID == 0:
			time.Sleep(50 * time.Microsecond)
		case stop.Reason == Trapped || stop.Reason == GroupStop:
			return stop, nil
		default:
			r.Other(stop)
			if !stop.Alive() {
				return Stop{}, ErrGone
			}
			Interrupt(r.TID) // which any other stop has undone
		}
	}
	return Stop{}, ErrBusy
}
