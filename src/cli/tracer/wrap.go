package tracer

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/host"
	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/src/selinux"
	"github.com/ebpfless/ebpfless/src/syscalls"
	"github.com/ebpfless/ebpfless/src/tracer/guard"
	"github.com/ebpfless/ebpfless/src/tracer/launch"
	"github.com/ebpfless/ebpfless/src/tracer/shared"
)

// wrap turns this process into the command, traced. Once the command is known to be there, nothing that goes wrong with
// the tracing keeps it from starting.
func wrap(f *flags, args []string) error {
	path, err := find(args[0])
	if err != nil {
		return err
	}
	if os.Getpid() == 1 {
		return stayInit()
	}
	if f.argv0 != "" {
		args = append([]string{f.argv0}, args[1:]...)
	}
	command := launch.Command{
		Path: path, Args: args, Env: f.environ(),
		UID: int(f.uid), GID: int(f.gid), Groups: groups(f.uid, f.gid),
	}
	if command.Context, err = selinux.Host.Successor(path); err != nil {
		complain("%v", err)
	}
	if verdict, err := traced(f, args, command.Context); err != nil {
		complain("%v: the application runs untraced", err)
	} else if verdict.Traced && verdict.Filtered {
		command.Filter, err = seccomp.Program(syscalls.ABIsOf(runtime.GOARCH), seccomp.TrapOf(verdict.Interest))
		if err != nil {
			complain("%v: the application runs untraced", err)
		}
	}
	err = launch.Become(command, func(warning error) { complain("%v", warning) })
	return refuse("check the file's format, and that the user may execute it", "%v", err)
}

// environ is the command's environment: the socket for which --notify-main-pid is there was given to the tracer.
func (f *flags) environ() []string {
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return f.mainPID && strings.HasPrefix(entry, "NOTIFY_SOCKET=")
	})
}

// traced brings the tracer to life and lets it attach to this process, unless the kernel would then refuse the application the
// SELinux context that it is to run in.
func traced(f *flags, args []string, context string) (launch.Verdict, error) {
	if err := selinux.Host.MayTrace(context); err != nil {
		return launch.Verdict{}, err
	}
	memory, file, err := prepare()
	if err != nil {
		return launch.Verdict{}, err
	}
	defer file.Close()
	c := f.config()
	c.Launcher, c.Args = os.Getpid(), args
	if f.mainPID {
		c.Systemd = os.Getppid()
	}
	if err := c.Store(memory); err != nil {
		return launch.Verdict{}, err
	}
	g, err := launch.Start([]string{self(), "guard", "--detach"}, file)
	if err != nil {
		return launch.Verdict{}, err
	}
	verdict, err := g.Wait()
	if err == nil && !verdict.Traced {
		err = fmt.Errorf("%s", verdict.Failure)
	}
	return verdict, err
}

func prepare() (*shared.Memory, *os.File, error) {
	file, err := shared.Create()
	if err != nil {
		return nil, nil, err
	}
	memory, err := shared.Map(file)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return memory, file, nil
}

func (f *flags) config() guard.Config {
	return guard.Config{
		ProbeAddr: f.probeAddr, Wait: f.wait, Async: f.async, Seccomp: !f.noSeccomp, NoStat: f.noStats,
		ScanEvery: f.scanEvery(),
		CreatedAt: uint64(time.Now().UnixNano()), Verbose: f.verbose, Debug: f.debug,
	}
}

// scanEvery gives 0 when nothing is to be scanned. What can't be read as a duration is said and replaced.
func (f *flags) scanEvery() time.Duration {
	if f.noScan {
		return 0
	}
	if f.scanRate == "" {
		return host.ScanEvery
	}
	every, err := time.ParseDuration(f.scanRate)
	if err != nil || every <= 0 {
		complain("--proc-scan-rate %q is not a duration: %v is used", f.scanRate, host.ScanEvery)
		return host.ScanEvery
	}
	return every
}

// complain is for what the user must know although his command runs.
func complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "cws-instrumentation: "+format+"\n", args...)
}
