package ctl

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/seccomp"
	"github.com/ebpfless/ebpfless/src/tracer/launch"
	"github.com/ebpfless/ebpfless/src/wire"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

var errProblems = errors.New("there are problems")

// verdict is what a check finds.
type verdict struct {
	state string // ok, warning, problem
	text  string
	todo  string
}

func ok(format string, args ...any) verdict {
	return verdict{state: "ok", text: fmt.Sprintf(format, args...)}
}

func warning(todo, format string, args ...any) verdict {
	return verdict{state: "warning", text: fmt.Sprintf(format, args...), todo: todo}
}

func problem(todo, format string, args ...any) verdict {
	return verdict{state: "problem", text: fmt.Sprintf(format, args...), todo: todo}
}

// doctorCommand looks at everything that tracing needs. A problem makes it fail, a warning doesn't.
func doctorCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{Use: "doctor", Short: "Say what works on this host and what to do about the rest", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			problems := 0
			for _, check := range []struct {
				name string
				look func() verdict
			}{
				{"kernel", kernel}, {"features", features}, {"seccomp", filters}, {"yama", yama}, {"selinux", selinuxPolicy}, {"privileges", privileges},
				{"versions", versions}, {"init system", initSystem},
				{"services", func() verdict { return watched(cmd.Context()) }},
				{"configuration", func() verdict { return configuration(path) }}, {"probe", func() verdict { return reach(path) }},
			} {
				v := check.look()
				fmt.Fprintf(cmd.OutOrStdout(), "%-8s %-14s %s\n", v.state, check.name, v.text)
				if v.todo != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "%-8s %-14s -> %s\n", "", "", v.todo)
				}
				if v.state == "problem" {
					problems++
				}
			}
			if problems > 0 {
				return errProblems
			}
			return nil
		}}
	cmd.Flags().StringVarP(&path, "config", "c", config.DefaultPath, "configuration file of the probe")
	return cmd
}

// kernel asks for PTRACE_SEIZE, which 3.4 brought: without it an application could not be stopped by its user.
func kernel() verdict {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return problem("", "uname: %v", err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n == 2 && (major < 3 || major == 3 && minor < 4) {
		return problem("tracing needs Linux 3.4 or newer", "Linux %s, %s", release, runtime.GOARCH)
	}
	return ok("Linux %s, %s", release, runtime.GOARCH)
}

func filters() verdict {
	if err := seccomp.Supported(); err != nil {
		return warning("tracing works by stopping at every system call, which costs time", "%v", err)
	}
	return ok("filters are there: only calls that rules ask for stop")
}

func yama() verdict {
	text, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	if err != nil {
		return ok("not in this kernel")
	}
	switch scope := strings.TrimSpace(string(text)); scope {
	case "0", "1":
		return ok("ptrace_scope is %s", scope)
	case "2":
		return warning("tracers need CAP_SYS_PTRACE", "ptrace_scope is 2")
	default:
		return problem("set kernel.yama.ptrace_scope to 2 or less and boot again", "ptrace_scope is %s: nobody may trace", scope)
	}
}

func privileges() verdict {
	var missing []string
	for name, capability := range map[string]int{"CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE, "CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN} {
		if !launch.HasCapability(capability) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return ok("CAP_SYS_PTRACE and CAP_SYS_ADMIN: other users' processes can be traced, set-user-id programs keep working")
	}
	return warning("run as root, or in a container with --cap-add SYS_PTRACE", "without %s", strings.Join(missing, " and "))
}

func configuration(path string) verdict {
	c, warnings, err := config.Load(path, os.Environ())
	switch {
	case err != nil:
		return problem("correct the file", "%v", err)
	case !c.Enabled || !c.EBPFLess:
		return warning("set runtime_security_config.enabled and .ebpfless.enabled to true", "%s does not switch the probe on", path)
	case len(warnings) > 0:
		return warning("see whether a key is misspelt", "%s", strings.Join(warnings, "; "))
	}
	return ok("%s is valid", path)
}

func reach(path string) verdict {
	c, _, err := config.Load(path, os.Environ())
	if err != nil {
		return warning("", "not tried: the configuration is broken")
	}
	conn, err := net.DialTimeout("tcp4", wire.Address(c.Socket), 2*time.Second)
	if err != nil {
		return problem("start it: systemctl start datadog-agent-sysprobe, or system-probe run", "nothing answers at %s", c.Socket)
	}
	conn.Close()
	return ok("answers at %s", c.Socket)
}
