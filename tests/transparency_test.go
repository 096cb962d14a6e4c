package tests

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/tests/recorder"
	"golang.org/x/sys/unix"
)

// ways are how commands are traced here.
var ways = map[string][]string{
	"seccomp":    nil,
	"every call": {"--disable-seccomp"},
}

// silent is the way of which the tracer says nothing on this kernel: it tells when it falls back.
func silent() string {
	if seccomp.Supported() != nil {
		return "every call"
	}
	return "seccomp"
}

// alike are commands that must print the same and end the same, traced or not.
var alike = []struct {
	name    string
	before  []string // what starts the tracer, or the command itself
	command []string
	stdin   string
}{
	{name: "status", command: []string{"sh", "-c", "exit 3"}},
	{name: "killed by itself", command: []string{"sh", "-c", "kill -9 $$"}},
	{name: "terminated", command: []string{"sh", "-c", "kill -TERM $$"}},
	{name: "aborted", command: []string{"sh", "-c", "ulimit -c 0; kill -ABRT $$"}},
	{name: "segmentation fault", command: []string{"sh", "-c", "ulimit -c 0; kill -SEGV $$"}},
	{name: "status of a killed child", command: []string{"sh", "-c", "sh -c 'kill -KILL $$'; echo $?"}},
	{name: "standard input", command: []string{"cat"}, stdin: "one\ntwo\n"},
	{name: "standard error", command: []string{"sh", "-c", "echo out; echo err >&2"}},
	{name: "limits", command: []string{"sh", "-c", "ulimit -a"}},
	{name: "limits set before", before: []string{"prlimit", "--nofile=77:99", "--core=0"}, command: []string{"sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c"}},
	{name: "umask", before: []string{"sh", "-c", `umask 027; exec "$@"`, "sh"}, command: []string{"sh", "-c", "umask"}},
	{name: "environment", before: []string{"env", "-i", "B=2", "A=1", "PATH=" + os.Getenv("PATH"), "EMPTY="}, command: []string{"env"}},
	{name: "ids", command: []string{"id"}},
	{name: "working directory", command: []string{"pwd", "-P"}},
	{name: "name", command: []string{"cat", "/proc/self/comm"}},
	{name: "arguments", command: []string{"sh", "-c", `printf '<%s>\n' "$0" "$@"`, "zero", "", "a b", "--", "--debug", "-x"}},
	{name: "parent, process group, session, terminal", command: []string{"sh", "-c", "read -r p c s a b </proc/self/stat; set -- $b; echo $a $1 $2 $3"}},
	{name: "signals ignored", before: []string{"env", "--ignore-signal=HUP", "--ignore-signal=PIPE", "--ignore-signal=RTMIN+3"}, command: []string{"grep", "-E", "^Sig(Ign|Blk|Cgt|Pnd)|^ShdPnd", "/proc/self/status"}},
	{name: "signals blocked", before: []string{"env", "--block-signal=USR1", "--block-signal=CHLD", "--block-signal=TERM"}, command: []string{"grep", "-E", "^Sig(Ign|Blk|Cgt|Pnd)", "/proc/self/status"}},
	{name: "signals as they are", before: []string{"env", "--default-signal"}, command: []string{"grep", "-E", "^Sig(Ign|Blk|Cgt|Pnd)", "/proc/self/status"}},
	{name: "privileges", command: []string{"grep", "-E", "^(Uid|Gid|Groups|Cap|NoNewPrivs|Umask|Threads|CoreDumping|Cpus_allowed|Mems_allowed)", "/proc/self/status"}},
	{name: "scheduling", before: []string{"nice", "-n", "7"}, command: []string{"sh", "-c", "nice; cat /proc/self/oom_score_adj /proc/self/timerslack_ns"}},
	{name: "descriptors", before: []string{"sh", "-c", `exec 5</dev/null 7>/dev/full 9</dev/zero; exec "$@"`, "sh"}, command: []string{"sh", "-c", "for f in 3 4 5 6 7 8 9 10 11 12; do readlink /proc/$$/fd/$f || echo no $f; done"}},
	{name: "no standard input", before: []string{"sh", "-c", `exec 0<&-; exec "$@"`, "sh"}, command: []string{"sh", "-c", "readlink /proc/$$/fd/0 || echo closed"}},
	{name: "no standard output", before: []string{"sh", "-c", `exec 1>&-; exec "$@"`, "sh"}, command: []string{"sh", "-c", "echo x; echo $? >&2"}},
	{name: "children", command: []string{"sh", "-c", "ps --no-headers --ppid $$ -o comm; :"}},
	{name: "broken pipe", command: []string{"sh", "-c", "yes | head -1; (yes; echo $? >&2) | head -1"}},
	{name: "a trap", command: []string{"sh", "-c", "trap 'echo caught; exit 5' USR1; kill -USR1 $$; echo on"}},
	{name: "job control", command: []string{"bash", "-c", `set -m; (kill -STOP $BASHPID; exit 6) & until jobs -s | grep -q .; do sleep 0.01; done; jobs; kill -CONT %1; wait %1; echo $?`}},
	{name: "time limit", command: []string{"timeout", "0.2", "sleep", "10"}},
	{name: "pipeline", command: []string{"bash", "-o", "pipefail", "-c", "seq 1000 | sort -rn | head -3; false | true; echo $?"}},
	{name: "no such file", command: []string{"sh", "-c", "cat absent; /absent; echo $?"}},
}

func TestTransparency(t *testing.T) {
	tracer := program(t, "cws-instrumentation")
	for way, flags := range ways {
		for _, c := range alike {
			t.Run(way+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				if err := seccomp.Supported(); err != nil && way == "seccomp" {
					skip(t, err.Error())
				}
				if len(c.before) > 0 {
					if _, err := exec.LookPath(c.before[0]); err != nil {
						skip(t, err.Error())
					}
				}
				probe, err := recorder.Start(nil)
				if err != nil {
					t.Fatal(err)
				}
				defer probe.Close()
				dir := t.TempDir()
				bare := runIn(t, dir, append(append([]string{}, c.before...), c.command...), c.stdin)
				command := append(append([]string{}, c.before...), tracer, "trace", "--probe-addr", probe.Addr(), "--disable-proc-scan")
				command = append(append(append(command, flags...), "--"), c.command...)
				traced := runIn(t, dir, command, c.stdin)
				compareOutcomes(t, bare, traced)
				if err := probe.WaitGone(leaveLimit); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func runIn(t *testing.T, dir string, command []string, stdin string) outcome {
	t.Helper()
	r := start(t, dir, nil, os.Geteuid(), command[0], command[1:]...)
	r.stdin.WriteString(stdin)
	r.stdin.Close()
	return r.wait(t)
}

func compareOutcomes(t *testing.T, bare, traced outcome) {
	t.Helper()
	if bare.status != traced.status {
		t.Errorf("wait status %#x, traced %#x", bare.status, traced.status)
	}
	if bare.stdout != traced.stdout {
		t.Errorf("standard output %q, traced %q", bare.stdout, traced.stdout)
	}
	if bare.stderr != traced.stderr {
		t.Errorf("standard error %q, traced %q", bare.stderr, traced.stderr)
	}
}

// variable is what differs from one run of a tracee to the next.
var variable = regexp.MustCompile(`(/tmp/(built|tracee)[0-9]+)|\b(pid|ppid|inode|target|port|n)=[0-9]+`)

// TestTraceesBehaveTheSame holds the test programs' own accounts against each other: calls must have the same results.
func TestTraceesBehaveTheSame(t *testing.T) {
	tracer := program(t, "cws-instrumentation")
	for _, name := range sources("tracees") {
		if name == "tracing" {
			continue // the one thing that a tracer can't hide is that it is there
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := tracee(t, name, native)
			probe, err := recorder.Start(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer probe.Close()
			bare := runTracee(t, file)
			traced := runTracee(t, tracer, "trace", "--probe-addr", probe.Addr(), "--disable-proc-scan", "--", file)
			compareOutcomes(t, bare, traced)
		})
	}
}

// runTracee sorts the lines by what is left without ids, as those of several processes come in any order.
func runTracee(t *testing.T, command ...string) outcome {
	t.Helper()
	dir, err := publicDir("tracee")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	o := start(t, dir, nil, os.Geteuid(), command[0], command[1:]...).wait(t)
	lines := strings.Split(variable.ReplaceAllString(o.stdout, "$3="), "\n")
	slices.Sort(lines)
	o.stdout = strings.Join(lines, "\n")
	return o
}

// TestSignalsFromOutside sends signals to the process that was started, as an init system does.
func TestSignalsFromOutside(t *testing.T) {
	tracer := program(t, "cws-instrumentation")
	for _, signal := range []syscall.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGKILL, unix.SIGQUIT, unix.SIGUSR1} {
		t.Run(unix.SignalName(signal), func(t *testing.T) {
			t.Parallel()
			probe, err := recorder.Start(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer probe.Close()
			r := start(t, t.TempDir(), nil, os.Geteuid(), tracer, "trace", "--probe-addr", probe.Addr(), "--", "sh", "-c", "ulimit -c 0; echo ready; exec sleep 30")
			waitForProgram(t, r.command.Process.Pid, "sleep")
			if err := r.command.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			o := r.wait(t)
			if !o.status.Signaled() || o.status.Signal() != signal {
				t.Errorf("ended with wait status %#x, not by %v", o.status, signal)
			}
			if err := probe.WaitGone(leaveLimit); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStoppedFromOutside wants the parent to see its child stop and go on, as a shell does.
func TestStoppedFromOutside(t *testing.T) {
	tracer := program(t, "cws-instrumentation")
	probe, err := recorder.Start(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	r := start(t, t.TempDir(), nil, os.Geteuid(), tracer, "trace", "--probe-addr", probe.Addr(), "--", "sleep", "30")
	pid := r.command.Process.Pid
	waitForProgram(t, pid, "sleep")
	for _, step := range []struct {
		signal syscall.Signal
		option int
		is     func(unix.WaitStatus) bool
	}{
		{unix.SIGSTOP, unix.WUNTRACED, unix.WaitStatus.Stopped},
		{unix.SIGCONT, unix.WCONTINUED, unix.WaitStatus.Continued},
		{unix.SIGTSTP, unix.WUNTRACED, unix.WaitStatus.Stopped},
		{unix.SIGCONT, unix.WCONTINUED, unix.WaitStatus.Continued},
	} {
		if err := unix.Kill(pid, step.signal); err != nil {
			t.Fatal(err)
		}
		if !becomes(pid, step.option, step.is) {
			t.Errorf("no wait status for %v", step.signal)
		}
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.wait(t)
}

func becomes(pid, option int, is func(unix.WaitStatus) bool) bool {
	var status unix.WaitStatus
	for end := time.Now().Add(leaveLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got, err := unix.Wait4(pid, &status, option|unix.WNOHANG, nil); err == nil && got == pid {
			return is(status)
		}
	}
	return false
}

func waitForProgram(t *testing.T, pid int, name string) {
	t.Helper()
	var comm []byte
	for end := time.Now().Add(leaveLimit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		comm, _ = os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		if strings.TrimSpace(string(comm)) == name {
			return
		}
	}
	t.Fatalf("process %d is still %q, not %q", pid, comm, name)
}
