package seccomp

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"golang.org/x/sys/unix"
)

// childVariable names the trial that this binary runs instead of the tests: a filter stays until the process ends.
const childVariable = "SECCOMP_TEST_TRIAL"

var trials = map[string]func() error{
	"privileged":   privileged,
	"unprivileged": unprivileged,
	"other thread": otherThread,
	"all threads":  allThreads,
	"32 bits":      execute32,
}

func TestMain(m *testing.M) {
	trial, asked := trials[os.Getenv(childVariable)]
	if !asked {
		os.Exit(m.Run())
	}
	runtime.LockOSThread()
	if err := trial(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// try makes the child that runs one trial.
func try(t *testing.T, trial string, args ...string) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: filters are installed with CAP_SYS_ADMIN here")
	}
	if err := Supported(); err != nil {
		t.Skip(err)
	}
	command := exec.Command("/proc/self/exe", args...)
	command.Env = append(os.Environ(), childVariable+"="+trial)
	return command
}

func TestInstall(t *testing.T) {
	for _, trial := range []string{"privileged", "unprivileged", "other thread", "all threads"} {
		t.Run(trial, func(t *testing.T) {
			if out, err := try(t, trial).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		})
	}
}

func TestSupportedHere(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if field := strings.Contains(string(text), "\nSeccomp:"); field != (Supported() == nil) {
		t.Errorf("the kernel has a seccomp field: %t; Supported says %v", field, Supported())
	}
}

func TestInstallErrorsSayWhatIsMissing(t *testing.T) {
	for errno, need := range map[unix.Errno]error{unix.EACCES: ErrNotPermitted, unix.EPERM: ErrNotPermitted} {
		if err := explain(errno, 0); !errors.Is(err, need) || !errors.Is(err, errno) {
			t.Errorf("%v is explained as %v", errno, err)
		}
	}
	if err := explain(unix.ENOSYS, unix.SECCOMP_FILTER_FLAG_TSYNC); Supported() == nil && !errors.Is(err, ErrFlags) {
		t.Errorf("ENOSYS with flags is explained as %v", err)
	}
	if err := explain(0, 0); err != nil {
		t.Errorf("success is explained as %v", err)
	}
	if err := Install(nil, 0); err == nil {
		t.Error("an empty program is taken")
	}
	if err := Install(make([]unix.SockFilter, maxInstructions+1), 0); err == nil {
		t.Error("a program that is too long is taken")
	}
}

// some is an interest that leaves the Go runtime and the trials alone.
func some() Trap {
	return TrapOf(event.Interest{Kinds: event.SetOf(event.Mkdir, event.Open), OpenFlags: unix.O_TRUNC})
}

func install(flags uint) error {
	program, err := Program(syscalls.ABIsOf(runtime.GOARCH), some())
	if err != nil {
		return err
	}
	return Install(program, flags)
}

// privileged expects ENOSYS of the trapped calls, as seccomp(2) has it for SECCOMP_RET_TRACE without a tracer.
func privileged() error {
	before := status("Speculation_Store_Bypass")
	if err := install(0); err != nil {
		return err
	}
	if mode := status("Seccomp"); mode != "2" {
		return fmt.Errorf("the mode of seccomp is %q", mode)
	}
	if after := status("Speculation_Store_Bypass"); after != before {
		return fmt.Errorf("the speculation was %q and is now %q", before, after)
	}
	if set := status("NoNewPrivs"); set == "1" {
		return errors.New("no_new_privs is set, which nobody asked for")
	}
	return filtered()
}

// emptyPath ends with ENOENT where a call is made; it doesn't move as what is on a stack may.
var emptyPath [1]byte

func filtered() error {
	path := uintptr(unsafe.Pointer(&emptyPath))
	trapped := map[string]unix.Errno{
		"mkdirat":           errno(unix.SYS_MKDIRAT, ^uintptr(99), path, 0, 0),
		"openat O_TRUNC":    errno(unix.SYS_OPENAT, ^uintptr(99), path, unix.O_TRUNC, 0),
		"openat2":           errno(unix.SYS_OPENAT2, 0, 0, 0, 0),
		"calibration":       errno(unix.SYS_SETFSUID, uintptr(CalibrationArgument), 0, 0, 0),
		"setns":             errno(unix.SYS_SETNS, ^uintptr(0), 0, 0, 0),
		"io_uring_setup":    errno(unix.SYS_IO_URING_SETUP, 0, 0, 0, 0),
		"open_by_handle_at": errno(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, unix.O_TRUNC, 0),
	}
	for name, got := range trapped {
		if got != unix.ENOSYS {
			return fmt.Errorf("%s is not trapped: %v", name, got)
		}
	}
	if got := errno(unix.SYS_OPENAT, ^uintptr(99), path, unix.O_RDONLY, 0); got != unix.ENOENT {
		return fmt.Errorf("openat for reading ends with %v", got)
	}
	if got := errno(unix.SYS_GETPID, 0, 0, 0, 0); got != 0 {
		return fmt.Errorf("getpid ends with %v", got)
	}
	return nil
}

func errno(nr, a, b, c, d uintptr) unix.Errno {
	_, _, e := unix.RawSyscall6(nr, a, b, c, d, 0, 0)
	return e
}

func unprivileged() error {
	const nobody = 65534
	if e := errno(unix.SYS_SETRESUID, nobody, nobody, nobody, 0); e != 0 {
		return e
	}
	if err := install(0); !errors.Is(err, ErrNotPermitted) {
		return fmt.Errorf("without privileges: %v", err)
	}
	if err := NoNewPrivs(); err != nil {
		return err
	}
	if err := install(0); err != nil {
		return fmt.Errorf("with no_new_privs: %w", err)
	}
	return filtered()
}

func otherThread() error {
	call := elsewhere()
	if err := install(0); err != nil {
		return err
	}
	if got := call(); got == unix.ENOSYS {
		return errors.New("another thread has the filter too")
	}
	return filtered()
}

func allThreads() error {
	call := elsewhere()
	err := install(unix.SECCOMP_FILTER_FLAG_TSYNC)
	if errors.Is(err, ErrFlags) { // before 3.17
		return nil
	}
	if err != nil {
		return err
	}
	if got := call(); got != unix.ENOSYS {
		return fmt.Errorf("another thread has no filter: %v", got)
	}
	return filtered()
}

// elsewhere starts a thread and gives what makes it do a trapped call, once.
func elsewhere() func() unix.Errno {
	ready, result := make(chan bool), make(chan unix.Errno)
	go func() {
		runtime.LockOSThread()
		ready <- true
		<-ready
		result <- errno(unix.SYS_SETNS, ^uintptr(0), 0, 0, 0)
	}()
	<-ready
	return func() unix.Errno {
		ready <- true
		return <-result
	}
}

// status gives a field of the calling thread.
func status(field string) string {
	text, _ := os.ReadFile("/proc/thread-self/status")
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, field+":"); found {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// TestCompatCallsStop runs a 32-bit program, which makes one mkdir(NULL) and exits with its errno.
func TestCompatCallsStop(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the 32-bit program is for amd64")
	}
	path := filepath.Join(t.TempDir(), "mkdir32")
	if err := os.WriteFile(path, program32(), 0o755); err != nil {
		t.Fatal(err)
	}
	plain := exec.Command(path).Run()
	if errors.Is(plain, unix.ENOEXEC) {
		t.Skip("this kernel runs no 32-bit programs")
	}
	if got := exitCode(plain); got != int(unix.EFAULT) {
		t.Fatalf("without filter it ends with %v, want EFAULT", plain)
	}
	if out, err := try(t, "32 bits", path).CombinedOutput(); exitCode(err) != int(unix.ENOSYS) {
		t.Errorf("with the filter it ends with %v, want ENOSYS %s", err, out)
	}
}

func exitCode(err error) int {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func execute32() error {
	if err := install(0); err != nil {
		return err
	}
	return unix.Exec(os.Args[1], os.Args[1:], nil)
}

// program32 is an ELF file with one segment: eax = mkdir(NULL, 0); exit(-eax).
func program32() []byte {
	code := []byte{
		0xb8, 39, 0, 0, 0, // mov eax, __NR_mkdir
		0x31, 0xdb, // xor ebx, ebx
		0x31, 0xc9, // xor ecx, ecx
		0xcd, 0x80, // int 0x80
		0xf7, 0xd8, // neg eax
		0x89, 0xc3, // mov ebx, eax
		0xb8, 1, 0, 0, 0, // mov eax, __NR_exit
		0xcd, 0x80, // int 0x80
	}
	const base = 0x8048000
	header, segment := elf.Header32{}, elf.Prog32{}
	start := uint32(binary.Size(header) + binary.Size(segment))
	size := start + uint32(len(code))
	header = elf.Header32{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386), Version: uint32(elf.EV_CURRENT),
		Entry: base + start, Phoff: uint32(binary.Size(header)), Phnum: 1,
		Ehsize: uint16(binary.Size(header)), Phentsize: uint16(binary.Size(segment)),
	}
	segment = elf.Prog32{
		Type: uint32(elf.PT_LOAD), Vaddr: base, Paddr: base, Filesz: size, Memsz: size,
		Flags: uint32(elf.PF_R | elf.PF_X), Align: 0x1000,
	}
	out, _ := binary.Append(nil, binary.LittleEndian, header)
	out, _ = binary.Append(out, binary.LittleEndian, segment)
	return append(out, code...)
}
