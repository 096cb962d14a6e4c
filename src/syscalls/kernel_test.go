//go:build linux

package syscalls

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// headers are the kernel's own lists, where a distribution has them.
var headers = map[ABI][]string{
	AMD64: {"/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"},
	I386:  {"/usr/include/x86_64-linux-gnu/asm/unistd_32.h", "/usr/include/asm/unistd_32.h"},
	X32:   {"/usr/include/x86_64-linux-gnu/asm/unistd_x32.h", "/usr/include/asm/unistd_x32.h"},
	ARM64: {"/usr/include/asm-generic/unistd.h"},
	ARM:   {"/usr/arm-linux-gnueabihf/include/asm/unistd-eabi.h", "/usr/include/arm-linux-gnueabihf/asm/unistd-eabi.h"},
}

var definition = regexp.MustCompile(`(?m)^#define __NR(?:3264)?_(\w+)\s+\(?(__X32_SYSCALL_BIT \+ |__NR_SYSCALL_BASE \+ )?(\d+)\)?$`)

// only32 is what the header of arm64 has for others.
var only32 = regexp.MustCompile(`(?s)#if defined\(__SYSCALL_COMPAT\) \|\| __BITS_PER_LONG == 32\n.*?#endif`)

func TestNumbersAreThoseOfTheHeaders(t *testing.T) {
	for _, abi := range every {
		t.Run(abi.String(), func(t *testing.T) {
			text := firstOf(headers[abi])
			if text == nil {
				t.Skipf("none of %q is here", headers[abi])
			}
			compared := 0
			for _, match := range definition.FindAllSubmatch(only32.ReplaceAll(text, nil), -1) {
				nr, err := strconv.ParseUint(string(match[3]), 10, 32)
				if row := rows[string(match[1])]; err == nil && row != nil {
					compared++
					if found := Lookup(abi, uint32(nr)); found != row {
						t.Errorf("%d is %s, the table has %v", nr, row.Name, found)
					}
				}
			}
			if compared == 0 {
				t.Error("the header defines none of the tracked calls")
			}
		})
	}
}

func firstOf(paths []string) []byte {
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil {
			return text
		}
	}
	return nil
}

// TestNewNumbersAreTheSameEverywhere holds from Linux 5.1 on (403, with the 64-bit times), by decision of the kernel.
func TestNewNumbersAreTheSameEverywhere(t *testing.T) {
	const unified = 403
	for _, n := range numbers {
		if n.nr[I386] < unified {
			continue
		}
		for _, abi := range every {
			if nr := n.nr[abi]; nr >= 0 && nr != n.nr[I386] {
				t.Errorf("%s is %d on i386 and %d on %v", n.name, n.nr[I386], nr, abi)
			}
		}
	}
}

func TestArchitecturesAreThoseOfTheLibrary(t *testing.T) {
	for abi, arch := range map[ABI]uint32{
		AMD64: unix.AUDIT_ARCH_X86_64, X32: unix.AUDIT_ARCH_X86_64, I386: unix.AUDIT_ARCH_I386,
		ARM64: unix.AUDIT_ARCH_AARCH64, ARM: unix.AUDIT_ARCH_ARM,
	} {
		if abi.AuditArch() != arch {
			t.Errorf("%v is %#x, want %#x", abi, abi.AuditArch(), arch)
		}
	}
}

func TestFlagsAreThoseOfTheLibrary(t *testing.T) {
	for mine, theirs := range map[uint32]uint32{
		atSymlinkNofollow:  unix.AT_SYMLINK_NOFOLLOW,
		atSymlinkFollow:    unix.AT_SYMLINK_FOLLOW,
		atRemoveDir:        unix.AT_REMOVEDIR,
		umountNofollow:     unix.UMOUNT_NOFOLLOW,
		moveMountTSymlinks: unix.MOVE_MOUNT_T_SYMLINKS,
		creatFlags:         unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC,
	} {
		if mine != theirs {
			t.Errorf("%#x, want %#x", mine, theirs)
		}
	}
}

// kernelWords are what the kernel's sources call an argument of each role.
var kernelWords = map[string][]string{
	"path":      {"filename", "pathname", "oldname", "new_root", "name"},
	"dirfd":     {"dfd", "olddfd"},
	"path2":     {"newname", "put_old", "dir_name", "to_pathname"},
	"dirfd2":    {"newdfd", "to_dfd"},
	"source":    {"oldname", "dev_name", "from_pathname"},
	"fd":        {"fd", "pidfd", "from_dfd"},
	"flags":     {"flags", "flag"},
	"mode":      {"mode"},
	"how":       {"how"},
	"howsize":   {"usize"},
	"id":        {"uid", "gid", "ruid", "rgid"},
	"effective": {"euid", "egid"},
	"uid":       {"user"},
	"gid":       {"group"},
	"times":     {"times", "utimes"},
	"text":      {"uname", "name_user"},
	"params":    {"uargs"},
	"fstype":    {"type"},
	"address":   {"uservaddr", "umyaddr", "upeer_sockaddr"},
	"length":    {"addrlen", "upeer_addrlen", "optlen", "len"},
	"level":     {"level"},
	"option":    {"optname", "option"},
	"value":     {"optval", "rlim", "new_rlim", "arg2"},
	"resource":  {"resource"},
	"domain":    {"family"},
	"type":      {"type"},
	"protocol":  {"protocol"},
	"request":   {"request"},
	"pid":       {"pid", "tgid"},
	"tid":       {"pid"},
	"signo":     {"sig"},
	"header":    {"header"},
	"data":      {"data"},
	"image":     {"umod"},
	"info":      {"info", "uinfo"},
}

// TestRolesAreThoseOfTheKernel asks the running kernel for the names of each call's arguments.
func TestRolesAreThoseOfTheKernel(t *testing.T) {
	events := filepath.Join(tracing(t), "events/syscalls")
	compared := 0
	for _, c := range calls {
		file := "sys_enter_" + c.name
		switch c.name {
		case "umount": // the kernel calls it oldumount, and umount2 umount
			continue
		case "umount2":
			file = "sys_enter_umount"
		}
		text, err := os.ReadFile(filepath.Join(events, file, "format"))
		if err != nil {
			continue // not on this architecture, or not configured
		}
		compared++
		compareRoles(t, &c, parameters(string(text)))
	}
	if compared == 0 {
		t.Skipf("this kernel describes no calls in %s (CONFIG_FTRACE_SYSCALLS)", events)
	}
}

func compareRoles(t *testing.T, c *call, kernel []string) {
	t.Helper()
	for i, word := range strings.Fields(c.args) {
		switch {
		case word == "_":
		case i >= len(kernel):
			t.Errorf("%s: the kernel has no argument %d", c.name, i)
		case !slices.Contains(kernelWords[word], kernel[i]):
			t.Errorf("%s: argument %d is %q, the kernel calls it %q", c.name, i, word, kernel[i])
		}
	}
}

// parameters are the fields after __syscall_nr, as in "field:const char * filename;".
func parameters(format string) []string {
	_, after, _ := strings.Cut(format, "__syscall_nr;")
	var list []string
	for _, line := range strings.Split(after, "\n") {
		if field, ok := strings.CutPrefix(strings.TrimSpace(line), "field:"); ok {
			declaration, _, _ := strings.Cut(field, ";")
			list = append(list, declaration[strings.LastIndexAny(declaration, " *")+1:])
		}
	}
	return list
}

// tracing finds tracefs, or mounts it where only this thread sees it. The thread ends with the test.
func tracing(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if _, err := os.Stat(path + "/events/syscalls"); err == nil {
			return path
		}
	}
	runtime.LockOSThread()
	path := t.TempDir()
	if err := mountPrivately(path); err != nil {
		t.Skipf("no tracefs to ask: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
	return path
}

func mountPrivately(path string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts (needs root): %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("none", path, "tracefs", 0, ""); err != nil {
		return fmt.Errorf("mount tracefs: %w", err)
	}
	return nil
}
