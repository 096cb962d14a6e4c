// Package syscalls says which number is which system call, per ABI, and what each argument of the tracked ones means;
// reading those arguments and deciding what to trap are left to others.
package syscalls

//go:generate go run generate.go

// ABI is one way of calling the kernel: a set of numbers, and a layout of the structures behind pointers.
type ABI uint8

// The ABIs of the supported machines. I386 and X32 run on amd64 kernels, ARM (EABI, 32 bits) on arm64 ones. Their values
// are part of installed filters, which outlive an upgrade of the tracer: new ones go to the end.
const (
	AMD64 ABI = iota
	I386
	X32
	ARM64
	ARM
	abiCount
)

// X32Bit marks the numbers of X32 calls, __X32_SYSCALL_BIT of asm/unistd.h. The architecture value is that of AMD64.
const X32Bit = 0x40000000

// shape is what distinguishes one ABI from another beside its numbers.
type shape struct {
	name    string
	arch    uint32 // AUDIT_ARCH_*, linux/audit.h
	pointer int
	long    int
}

var shapes = [abiCount]shape{
	AMD64: {"amd64", 0xc000003e, 8, 8},
	I386:  {"i386", 0x40000003, 4, 4},
	X32:   {"x32", 0xc000003e, 4, 8},
	ARM64: {"arm64", 0xc00000b7, 8, 8},
	ARM:   {"arm", 0x40000028, 4, 4},
}

// of tolerates an ABI that is none, as a filter reports for calls that it was not made for.
func (a ABI) of() shape {
	if a >= abiCount {
		return shape{name: "foreign", pointer: 8, long: 8}
	}
	return shapes[a]
}

// String gives the name that this project uses for the ABI.
func (a ABI) String() string { return a.of().name }

// AuditArch gives the AUDIT_ARCH_* value that seccomp(2) and PTRACE_GET_SYSCALL_INFO report. X32 shares that of AMD64.
func (a ABI) AuditArch() uint32 { return a.of().arch }

// PointerSize gives the bytes of a pointer or size_t inside a structure in memory.
func (a ABI) PointerSize() int { return a.of().pointer }

// LongSize gives the bytes of the kernel's long inside a structure in memory: time_t, suseconds_t, rlim_t. X32 has wide
// longs and narrow pointers.
func (a ABI) LongSize() int { return a.of().long }

// narrow tells whether registers hold 32 bits.
func (a ABI) narrow() bool { return a.LongSize() == 4 }

// ABIsOf lists what programs on a kernel of the given GOARCH can call it by, the native ABI first; nil for others.
func ABIsOf(goarch string) []ABI {
	switch goarch {
	case "amd64":
		return []ABI{AMD64, I386, X32}
	case "arm64":
		return []ABI{ARM64, ARM}
	}
	return nil
}

// Identify finds the ABI of a call from its AUDIT_ARCH_* value and its number; false for an architecture not listed here.
func Identify(arch, nr uint32) (ABI, bool) {
	switch arch {
	case shapes[AMD64].arch:
		if nr&X32Bit != 0 {
			return X32, true
		}
		return AMD64, true
	case shapes[I386].arch:
		return I386, true
	case shapes[ARM64].arch:
		return ARM64, true
	case shapes[ARM].arch:
		return ARM, true
	}
	return 0, false
}
