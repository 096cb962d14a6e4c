// Package shared is the memory that the tracing loop and its guardian have in common: all that either must know to go on
// after the other, or it itself, was killed or has been replaced. It lays memory out and acts on nothing.
package shared

import (
	"bytes"
	"sync/atomic"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/record"
)

// Sizes. The file behind the memory is sparse: what is never touched costs nothing.
const (
	TaskSlots  = 1 << 17  // threads traced at once; a power of two
	CallSlots  = 1 << 10  // calls between entry and exit that hold names; further ones are counted as dropped
	RingBytes  = 16 << 20 // events that wait for the probe
	ConfigSize = 32 << 10
	MaxPIDs    = 4096 // processes named by --pid
)

// State is how far the tracing loop has got.
type State uint32

// The states, in order.
const (
	Starting State = iota
	Tracing        // every task is seized; the launcher may go on
	Failed         // nothing is traced: Control.Failure and FailedPID say why
	Done           // the last task has ended or was let go
)

// Requests to the loop, as bits.
const (
	RequestDetach = 1 << iota // let every task go and end
	RequestRenew              // execute the program again, in place
)

// Order is the order of the stops at a trapped call; it changed in Linux 4.8.
type Order uint32

// The orders.
const (
	OrderUnknown  Order = iota
	SeccompFirst        // before 4.8: seccomp stop, entry stop, exit stop
	SeccompSecond       // from 4.8 on: entry stop, seccomp stop, exit stop
)

// Control is one page of single values.
type Control struct {
	state     uint32
	request   uint32
	guarded   uint32 // the loop that the guardian watches over
	GuardPID  int32  // the guardian, which may send SIGSTOP on its own account
	LoopPID   int32  // the tracing loop
	Seized    uint32 // the loop has attached at least once: a successor adopts, it doesn't begin
	Filtered  uint32 // tasks have a seccomp filter: everything else runs free
	Attached  uint32 // attach mode
	Bare      uint32 // the loop has crashed too often: hold the tasks, read nothing
	Rooted    uint32 // some task has another root directory: paths need its point of view
	Order     Order
	interest  event.Interest
	Trapped   event.Interest // what the filters trap that were installed in running processes
	Failure   int32          // errno of the seize that failed
	FailedAt  int32          // the pid that it failed for
	Current   int32          // task whose stop the loop is dealing with; 0 between stops
	Pending   int32          // signal that this stop wants delivered
	Tasks     int32          // tasks in the table
	Crashes   uint32
	Renewals  uint32
	Lost      uint32 // tasks that found no slot in the table
	Inject    uint32 // attach mode: the filter is to be put into the running processes
	Holding   uint32 // the tracer has left: tasks with a filter are passed on unread, others are let go
	Aside     uint32 // the guardian has made way for one of another version
	Held      uint32 // Holding, and a guardian is there that only watches the loop
	Unsettled uint32 // attach mode: the loop has not attached to all PIDs yet, nor put the filter into them
	heir      int32  // the guardian that takes over from the one that watches now
	Filters   uint32 // processes in which a filter was installed, which stays in them and in their children
	Plains    uint32 // processes in which it could not be installed
	plainPID  int32  // the first of these
	plainWhy  [128]byte
	PIDs      [MaxPIDs]int32
	PIDCount  int32
	config    [ConfigSize]byte
	length    uint32
}

// State reads the loop's state.
func (c *Control) State() State { return State(atomic.LoadUint32(&c.state)) }

// SetState publishes the loop's state.
func (c *Control) SetState(s State) { atomic.StoreUint32(&c.state, uint32(s)) }

// SetGuarded says that the guardian watches over a loop.
func (c *Control) SetGuarded(pid int) { atomic.StoreUint32(&c.guarded, uint32(pid)) }

// Guarded tells whether the guardian watches over a loop.
func (c *Control) Guarded(pid int) bool { return atomic.LoadUint32(&c.guarded) == uint32(pid) }

// Request asks the loop for something; the caller must wake it.
func (c *Control) Request(bits uint32) { atomic.OrUint32(&c.request, bits) }

// TakeRequests gives what has been asked since the last call.
func (c *Control) TakeRequests() uint32 { return atomic.SwapUint32(&c.request, 0) }

// Requested tells whether something is asked that the loop has not taken.
func (c *Control) Requested() bool { return atomic.LoadUint32(&c.request) != 0 }

// SetInterest stores what is to be trapped and reported. The guardian sets it before the loop begins.
func (c *Control) SetInterest(i event.Interest) { c.interest = i }

// Interest is what is to be trapped and reported.
func (c *Control) Interest() event.Interest { return c.interest }

// Succeed says which guardian is to take the place of the one that watches now; 0: none.
func (c *Control) Succeed(pid int) { atomic.StoreInt32(&c.heir, int32(pid)) }

// Succeeded tells a guardian whether another one waits for its place.
func (c *Control) Succeeded(pid int) bool {
	heir := atomic.LoadInt32(&c.heir)
	return heir != 0 && heir != int32(pid)
}

// NotePlain says that a process runs without a filter, and why; of several the first is kept.
func (c *Control) NotePlain(pid int, why string) {
	if c.Plains++; c.Plains == 1 {
		c.plainPID, c.plainWhy = int32(pid), [128]byte{}
		copy(c.plainWhy[:], why)
	}
}

// Plain is the first process that NotePlain told of, 0 without any.
func (c *Control) Plain() (pid int, why string) {
	return int(c.plainPID), string(bytes.TrimRight(c.plainWhy[:], "\x00"))
}

// SetConfig stores the guardian's configuration; false when it is larger than ConfigSize.
func (c *Control) SetConfig(b []byte) bool {
	if len(b) > ConfigSize {
		return false
	}
	c.length = uint32(copy(c.config[:], b))
	return true
}

// Config gives the stored configuration.
func (c *Control) Config() []byte { return c.config[:min(c.length, ConfigSize)] }

// Phase is where a task stands between two stops.
type Phase uint8

// The phases.
const (
	Running      Phase = iota
	AfterSeccomp       // let go from a seccomp stop; the next syscall-stop is its entry or exit, by Order
	InCall             // past the entry; the next syscall-stop is the exit
)

// Task is one traced thread. Tables of them start zeroed: a TID of 0 is a free slot.
type Task struct {
	TID, TGID int32
	Phase     Phase
	ABI       uint8
	Launching bool  // still the launcher: what it does is not the application's doing
	Stopped   bool  // in a group-stop that the application or its user wants
	Found     bool  // put here by the guardian: the loop never saw it begin
	Adopted   bool  // seized again; an unfinished call may still be read from its registers
	Held      bool  // stopped by the guardian and not continued yet
	Plain     bool  // stops at every call: no filter could be installed in it
	Filter    bool  // a filter was installed in it, which is there for good
	Met       bool  // stopped before its parent's event told of it
	Kept      bool  // kept in its last stop
	Leads     bool  // the process has other threads
	Call      int32 // slot + 1 of the facts of an unfinished call; 0: none
	Number    uint32
	Args      [6]uint64
}

// Layout of the file, each part page-aligned.
type layout struct {
	control Control
	_       [4096 - sizeofControl%4096]byte
	tasks   [TaskSlots]Task
	calls   [CallSlots]record.Facts
}
