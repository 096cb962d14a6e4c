package probe

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"
)

func hostname(c *config.Config) string {
	if c.Hostname != "" {
		return c.Hostname
	}
	name, _ := os.Hostname()
	return name
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func facts(c *config.Config) probe.Facts {
	return probe.Facts{
		Version: Version, Hostname: hostname(c), Arch: runtime.GOARCH, KernelVersion: release(), Distribution: osRelease()["ID"],
		EnvsWithValue: c.EnvsWithValues,
	}
}

// thisHost is what the filters of rules ask about.
func thisHost(c *config.Config) secl.Host {
	h := secl.Host{OS: "linux", Origin: "ebpfless", Hostname: hostname(c), Envs: os.Environ()}
	distribution := osRelease()
	h.ID, h.PlatformID, h.VersionID = distribution["ID"], distribution["PLATFORM_ID"], distribution["VERSION_ID"]
	version, flavor, _ := strings.Cut(release(), "-")
	for i, part := range strings.SplitN(version, ".", 3) {
		h.Kernel[i], _ = strconv.ParseInt(part, 10, 64)
	}
	if abi, rest, ok := strings.Cut(flavor, "-"); ok {
		h.Kernel[3], _ = strconv.ParseInt(abi, 10, 64)
		h.KernelFlavor = rest
	}
	_, err := os.Stat("/sys/kernel/btf/vmlinux")
	h.CORE = err == nil
	return h
}

// osRelease reads os-release(5).
func osRelease() map[string]string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		text, _ = os.ReadFile("/usr/lib/os-release")
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[name] = strings.Trim(value, `"'`)
		}
	}
	return values
}

// logger writes one line a message.
func logger(c *config.Config, out io.Writer) (*logrus.Entry, error) {
	level, err := logrus.ParseLevel(c.LogLevel)
	if err != nil {
		return nil, refuse("use trace, debug, info, warn or error", "log_level %q is not known", c.LogLevel)
	}
	log := logrus.New()
	log.SetOutput(out)
	log.SetLevel(level)
	log.SetFormatter(plain{})
	return logrus.NewEntry(log), nil
}

type plain struct{}

// Format implements logrus.Formatter.
func (plain) Format(e *logrus.Entry) ([]byte, error) {
	return []byte("system-probe: " + e.Message + "\n"), nil
}
