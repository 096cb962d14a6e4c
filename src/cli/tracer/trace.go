package tracer

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flags of trace. Names and defaults are those of the original.
type flags struct {
	probeAddr    string
	verbose      bool
	debug        bool
	uid, gid     int32
	argv0        string
	mainPID      bool
	async        bool
	wait         time.Duration
	noStats      bool
	noScan       bool
	scanRate     string
	noSeccomp    bool
	install      bool
	pids         []string
	pidPerTracer int
}

func traceCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "trace [flags] -- CMD [ARG...]\n  cws-instrumentation trace [flags] --pid PID [--pid PID...]",
		Short: "Run a command, or attach to running processes, and report what they do",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.complete(cmd, args); err != nil {
				return err
			}
			if len(f.pids) > 0 {
				return attach(&f)
			}
			return wrap(&f, args)
		},
		Args: cobra.ArbitraryArgs,
	}
	f.define(cmd.Flags())
	cmd.AddCommand(selftestsCommand())
	return cmd
}

func (f *flags) define(set *pflag.FlagSet) {
	set.SetInterspersed(false) // from CMD on, flags are CMD's own
	set.StringVar(&f.probeAddr, "probe-addr", "localhost:5678", "host:port of the probe; empty: send nothing")
	set.BoolVar(&f.verbose, "verbose", false, "log what is going on")
	set.BoolVar(&f.debug, "debug", false, "log every event as well")
	set.Int32Var(&f.uid, "uid", -1, "user id that CMD runs with")
	set.Int32Var(&f.gid, "gid", -1, "group id that CMD runs with")
	set.StringVar(&f.argv0, "argv0", "", "name that CMD gets as its argument 0 (default: CMD)")
	set.BoolVar(&f.mainPID, "notify-main-pid", false, "tell systemd the main process of a Type=forking service without PIDFile=")
	set.BoolVar(&f.async, "async", false, "start CMD at once, connect to the probe meanwhile")
	set.DurationVar(&f.wait, "wait", time.Minute, "how long CMD waits for the probe before it starts without; 0: for ever")
	set.BoolVar(&f.noStats, "disable-stats", false, "don't look up owner, mode and times of files")
	set.BoolVar(&f.noScan, "disable-proc-scan", false, "don't report processes found in /proc")
	set.StringVar(&f.scanRate, "proc-scan-rate", "", "how often /proc is scanned (default 500ms)")
	set.BoolVar(&f.noSeccomp, "disable-seccomp", false, "stop at every system call instead of filtering: for kernels before 3.5")
	set.StringSliceVar(&f.pids, "pid", nil, "attach to this process; may be repeated")
	set.BoolVar(&f.install, "install-filter", false, "with --pid: install the seccomp filter in the running processes, so that they run as fast as wrapped ones; it stays in them, and a holder with it when this tracer leaves")
	set.IntVar(&f.pidPerTracer, "pid-per-tracer", 0, "share the processes among tracers of at most so many; 0: one tracer")
}

// switches are flags that the environment can set: today's variable, and that of early 2024.
var switches = []struct{ flag, variable, former string }{
	{"disable-stats", "DD_CWS_INSTRUMENTATION_STATS_DISABLED", "DD_CWS_INSTRUMENTATION_DISABLE_STATS"},
	{"disable-proc-scan", "DD_CWS_INSTRUMENTATION_PROC_SCAN_DISABLED", "DD_CWS_INSTRUMENTATION_DISABLE_PROC_SCAN"},
	{"disable-seccomp", "DD_CWS_INSTRUMENTATION_SECCOMP_DISABLED", "DD_CWS_INSTRUMENTATION_DISABLE_SECCOMP"},
}

// complete takes what the environment says and refuses what can't be.
func (f *flags) complete(cmd *cobra.Command, args []string) error {
	for _, s := range switches {
		if strings.EqualFold(os.Getenv(s.variable), "true") || os.Getenv(s.former) != "" {
			cmd.Flags().Set(s.flag, "true")
		}
	}
	if f.scanRate == "" {
		f.scanRate = os.Getenv("DD_CWS_INSTRUMENTATION_PROC_SCAN_RATE")
	}
	switch {
	case len(f.pids) == 0 && len(args) == 0:
		return refuse("cws-instrumentation trace -- CMD, or trace --pid PID", "nothing to trace: give a command or --pid")
	case len(f.pids) > 0 && len(args) > 0:
		return refuse("run two tracers", "--pid and the command %q exclude each other", args[0])
	case len(f.pids) > 0 && (f.uid != -1 || f.gid != -1):
		return refuse("they are for a command that is started", "--uid and --gid don't go with --pid")
	case len(f.pids) > 0 && f.argv0 != "":
		return refuse("it is for a command that is started", "--argv0 doesn't go with --pid")
	case len(f.pids) == 0 && f.install:
		return refuse("a command that is started gets the filter anyhow", "--install-filter is for --pid")
	case f.install && f.noSeccomp:
		return refuse("give one of them", "--install-filter and --disable-seccomp exclude each other")
	case f.uid < -1 || f.gid < -1:
		return refuse("ids are numbers from 0 up", "--uid %d --gid %d", f.uid, f.gid)
	case f.wait < 0:
		return refuse("--wait 0 waits for ever", "--wait %v is negative", f.wait)
	case f.pidPerTracer < 0:
		return refuse("0 means one tracer for all", "--pid-per-tracer %d is negative", f.pidPerTracer)
	}
	return f.checkAddress()
}

func (f *flags) checkAddress() error {
	if f.probeAddr == "" {
		return nil
	}
	i := strings.LastIndexByte(f.probeAddr, ':')
	if i > 0 {
		if port, err := strconv.ParseUint(f.probeAddr[i+1:], 10, 16); err == nil && port != 0 {
			return nil
		}
	}
	return refuse("for example --probe-addr localhost:5678", "--probe-addr %q is not host:port", f.probeAddr)
}
