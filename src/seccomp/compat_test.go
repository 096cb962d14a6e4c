package seccomp

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

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
