package tracer

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ebpfless/ebpfless/src/procfs"
	"github.com/ebpfless/ebpfless/src/ptrace"
	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
	"golang.org/x/sys/unix"
)

// borrow has a stopped thread make calls, with the filter in memory that lasts as long.
func (i *installer) borrow(tid int, exempt bool, calls func(r *ptrace.Remote, fprog uint64) error) error {
	start, end, err := procfs.Mapping(tid, "[vdso]")
	if err != nil {
		return err
	}
	r := &ptrace.Remote{TID: tid, Other: i.pass, Exempt: exempt}
	if err := r.Borrow(start, end); err != nil {
		return err
	}
	err = i.withMemory(r, calls)
	if errors.Is(err, ptrace.ErrGone) || errors.Is(err, ptrace.ErrBusy) {
		delete(i.stopped, tid)
		return err
	}
	stop, gone := r.Return()
	if gone != nil {
		delete(i.stopped, tid)
		return gone
	}
	i.stopped[tid] = stop
	return err
}

func (i *installer) withMemory(r *ptrace.Remote, calls func(r *ptrace.Remote, fprog uint64) error) error {
	size := uint64(len(i.filter)*8 + 16)
	mmap := "mmap"
	if r.ABI == syscalls.I386 {
		mmap = "mmap2"
	}
	address, err := remote(r, mmap, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uint64(0), 0)
	if err == nil {
		err = refused(address)
	}
	if err != nil {
		return fmt.Errorf("map memory: %w", err)
	}
	at := uint64(address)
	if r.ABI == syscalls.I386 {
		at = uint64(uint32(address))
	}
	if !i.memory.Write(r.TID, at, i.image(r.ABI, at)) {
		err = errors.New("its memory can't be written")
	} else {
		err = calls(r, at)
	}
	if errors.Is(err, ptrace.ErrGone) || errors.Is(err, ptrace.ErrBusy) {
		return err
	}
	if _, unmapped := remote(r, "munmap", at, size); unmapped != nil {
		return unmapped
	}
	return err
}

// image is struct sock_fprog of linux/filter.h with the filter 16 bytes behind it.
func (i *installer) image(abi syscalls.ABI, at uint64) []byte {
	b := make([]byte, 16, 16+8*len(i.filter))
	binary.LittleEndian.PutUint16(b, uint16(len(i.filter)))
	binary.LittleEndian.PutUint64(b[abi.PointerSize():], at+16) // the upper half of a narrow one is zero
	for _, f := range i.filter {
		b = binary.LittleEndian.AppendUint16(b, f.Code)
		b = append(b, f.Jt, f.Jf)
		b = binary.LittleEndian.AppendUint32(b, f.K)
	}
	return b
}

// calibrate learns the order of the stops, as the launcher does in wrap mode.
func (i *installer) calibrate(r *ptrace.Remote) {
	if i.loop.control.Order != shared.OrderUnknown {
		return
	}
	if _, err := remote(r, seccomp.CalibrationCall, uint64(seccomp.CalibrationArgument)); err != nil {
		return
	}
	switch r.Before {
	case 0:
		i.loop.control.Order = shared.SeccompFirst
	case 1:
		i.loop.control.Order = shared.SeccompSecond
	}
}

func remote(r *ptrace.Remote, name string, args ...uint64) (int64, error) {
	number, ok := syscalls.NumberOf(r.ABI, name)
	if !ok {
		return -int64(unix.ENOSYS), nil
	}
	return r.Call(number, args...)
}

func refused(result int64) error {
	if result >= 0 || result < -4095 {
		return nil
	}
	if errno := unix.Errno(-result); errno == unix.EACCES || errno == unix.EPERM {
		return errors.New("it has neither CAP_SYS_ADMIN nor no_new_privs, one of which seccomp(2) wants")
	}
	return unix.Errno(-result)
}
