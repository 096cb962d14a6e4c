package procfs

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ebpfless/ebpfless/src/record"
	"golang.org/x/sys/unix"
)

// tree makes a folder with links of every sort and makes it the working directory.
func tree(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.MkdirAll(dir+"/real/deep", 0o755),
		os.WriteFile(dir+"/real/file", []byte("x"), 0o640),
		os.Symlink("real", dir+"/relative"),
		os.Symlink(dir+"/real", dir+"/absolute"),
		os.Symlink("../file", dir+"/real/deep/up"),
		os.Symlink("loop", dir+"/loop"),
		os.Symlink("/proc/self/cwd/real", dir+"/magic"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

func TestResolve(t *testing.T) {
	dir := tree(t)
	for _, c := range []struct {
		name   string
		follow bool
		want   string
		known  bool
	}{
		{dir + "/real/file", true, dir + "/real/file", true},
		{"real/file", true, dir + "/real/file", true},
		{"./real//../real/./file", true, dir + "/real/file", true},
		{"relative/file", true, dir + "/real/file", true},
		{"absolute/file", true, dir + "/real/file", true},
		{"relative/deep/up", true, dir + "/real/file", true},
		{"relative/deep/up", false, dir + "/real/deep/up", true},
		{"relative", false, dir + "/relative", true},
		{"relative/", true, dir + "/real", true},
		{"missing", true, dir + "/missing", false},
		{"missing/further", true, dir + "/missing/further", false},
		{"magic/file", true, dir + "/real/file", true},
		{"/proc/self/cwd/real/file", true, dir + "/real/file", true},
		{"../../../../../../../..", true, "/", true},
		{"/", true, "/", true},
		{"", true, dir, true},
	} {
		var r Reader
		var f record.File
		r.Resolve(os.Getpid(), unix.AT_FDCWD, []byte(c.name), c.follow, &f)
		if got := string(f.Path.Get()); got != c.want || f.Known != c.known {
			t.Errorf("Resolve(%q, follow %v) = %q, known %v; want %q, %v", c.name, c.follow, got, f.Known, c.want, c.known)
		}
	}
}

func TestResolveEndsInALoopOfLinks(t *testing.T) {
	dir := tree(t)
	var r Reader
	var f record.File
	r.Resolve(os.Getpid(), unix.AT_FDCWD, []byte("loop"), true, &f)
	if got := string(f.Path.Get()); got != dir+"/loop" {
		t.Errorf("loop resolved to %q", got)
	}
}

func TestResolveFromADescriptor(t *testing.T) {
	dir := tree(t)
	open, err := os.Open(dir + "/real/deep")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	var r Reader
	var f record.File
	r.Resolve(os.Getpid(), int(open.Fd()), []byte("../file"), true, &f)
	if got := string(f.Path.Get()); got != dir+"/real/file" {
		t.Errorf("resolved to %q", got)
	}
	if f.Mode != unix.S_IFREG|0o640 {
		t.Errorf("mode is %o", f.Mode)
	}
}

func TestResolveLongPathsStayInBounds(t *testing.T) {
	tree(t)
	var r Reader
	var f record.File
	long := make([]byte, 3*pathMax)
	for i := range long {
		long[i] = 'a'
		if i%100 == 0 {
			long[i] = '/'
		}
	}
	r.Resolve(os.Getpid(), unix.AT_FDCWD, long, true, &f)
	if f.Path.Len == 0 {
		t.Error("nothing is left of a path that is too long")
	}
}

func TestOpenedNamesAnonymousAndUnlinkedFiles(t *testing.T) {
	dir := tree(t)
	fd, err := unix.MemfdCreate("hidden", 0)
	if err != nil {
		t.Skipf("memfd_create: %v (needs Linux 3.17)", err)
	}
	defer unix.Close(fd)
	var r Reader
	var f record.File
	r.Opened(os.Getpid(), fd, false, &f)
	if got := string(f.Path.Get()); got != "memfd:hidden" {
		t.Errorf("memfd is named %q", got)
	}
	gone, err := os.Open(dir + "/real/file")
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	os.Remove(dir + "/real/file")
	r.Opened(os.Getpid(), int(gone.Fd()), false, &f)
	if got := string(f.Path.Get()); got != dir+"/real/file" {
		t.Errorf("unlinked file is named %q", got)
	}
}

func TestStatusIsThatOfThisProcess(t *testing.T) {
	var r Reader
	var s Status
	if errno := r.Status(os.Getpid(), &s); errno != 0 {
		t.Fatal(errno)
	}
	var held [2]unix.CapUserData
	if err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &held[0]); err != nil {
		t.Fatal(err)
	}
	seccomp, _ := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0)
	noNewPrivs, _ := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	want := Status{TGID: os.Getpid(), PPID: os.Getppid(), TracerPID: s.TracerPID,
		UID: uint32(os.Getuid()), EUID: uint32(os.Geteuid()), GID: uint32(os.Getgid()), EGID: uint32(os.Getegid()),
		Permitted: uint64(held[1].Permitted)<<32 | uint64(held[0].Permitted), Seccomp: seccomp, NoNewPrivs: noNewPrivs == 1}
	if s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	if state := r.State(unix.Gettid()); state != 'R' {
		t.Errorf("state of the running thread is %q", state)
	}
	if !r.HasTask(os.Getpid(), unix.Gettid()) || r.HasTask(os.Getpid(), 1) {
		t.Error("HasTask doesn't know its own thread, or knows init")
	}
}

// A process that is gone, or has no such descriptor, is an ordinary thing to meet.
func TestWhatIsNotThereIsNoPanic(t *testing.T) {
	const gone = 1<<22 + 1 // above the largest pid that Linux gives out
	var r Reader
	var s Status
	f := new(record.Facts)
	for _, pid := range []int{gone, os.Getpid()} {
		r.Opened(pid, 1<<20, true, &f.File)
		r.Describe(pid, 1<<20, &f.File)
		r.Resolve(pid, 1<<20, []byte("name"), true, &f.File)
		r.PidOfDescriptor(pid, 1<<20)
		r.SocketName(pid, 1<<20, make([]byte, 64))
		r.WorkingDirectory(pid, true, &f.File)
		r.Terminal(pid, &f.Text[0])
		r.ExecName(pid)
	}
	if r.Running(gone, true, f) == 0 || r.Status(gone, &s) == 0 || r.State(gone) != 0 || r.Started(gone) != 0 || r.Identity(gone) != 0 {
		t.Error("something is known of a process that isn't there")
	}
}

func TestProcNames(t *testing.T) {
	var r Reader
	r.proc(4194304, "fd", 1048576)
	if got, want := unix.ByteSliceToString(r.name[:]), "/proc/4194304/fd/"+strconv.Itoa(1<<20); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte("Name:\tx\nTgid:\t7\nUid:\t1\t2\t3\t4\n"))
	f.Add([]byte("Tgid"))
	f.Fuzz(func(_ *testing.T, text []byte) { parseStatus(text) })
}

func BenchmarkResolve(b *testing.B) {
	var r Reader
	var f record.File
	pid, name := os.Getpid(), []byte("/usr/bin/env")
	b.ReportAllocs()
	for b.Loop() {
		r.Resolve(pid, unix.AT_FDCWD, name, true, &f)
	}
}

func BenchmarkOpened(b *testing.B) {
	var r Reader
	var f record.File
	pid := os.Getpid()
	b.ReportAllocs()
	for b.Loop() {
		r.Opened(pid, 0, false, &f)
		r.Describe(pid, 0, &f)
	}
}

func TestIdentityStaysWithTheProcess(t *testing.T) {
	r := new(Reader)
	own := r.Identity(os.Getpid())
	for range 100 {
		if again := r.Identity(os.Getpid()); own == 0 || again != own {
			t.Fatalf("identity %d, then %d", own, again)
		}
	}
	if r.Identity(1) == 0 {
		t.Error("pid 1 has none")
	}
}
