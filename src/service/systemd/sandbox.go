package systemd

import (
	"fmt"
	"time"

	"github.com/ebpfless/ebpfless/src/service"
	"github.com/ebpfless/ebpfless/src/unit"
)

// guest is where the tracer appears in services with a root folder of their own: /run is there and theirs alone.
const guest = "/run/cws-instrumentation"

// reach makes the tracer reachable from inside the service's sandbox, by directives that set adds, and gives its path there.
func (h Host) reach(s unit.File, set func(section, key, value string)) (string, error) {
	if key := rooted(s); key != "" {
		return guest, h.bind(s, key, set)
	}
	if above(words(s.All("Service", "TemporaryFileSystem")), h.Tracer) != "" {
		set("Service", "BindReadOnlyPaths", h.Tracer)
	}
	// Version 248 brought both; who has the one has the other.
	if above(words(s.All("Service", "NoExecPaths")), h.Tracer) != "" {
		set("Service", "ExecPaths", h.Tracer)
	}
	return h.Tracer, nil
}

// rooted gives the directive by which a service has a root folder of its own, or nothing.
func rooted(s unit.File) string {
	for _, key := range []string{"RootDirectory", "RootImage"} {
		if root := s.Last("Service", key); root != "" && root != "/" {
			return key
		}
	}
	return ""
}

// notify is the socket by which systemd is told things, where it is a file at all.
const notify = "/run/systemd/notify"

// tell lets the tracer tell systemd the main process, by directives that set adds. Versions differ in what they do for that.
func tell(s unit.File, set func(section, key, value string)) {
	set("Service", "NotifyAccess", "all")
	if rooted(s) != "" || above(words(s.All("Service", "TemporaryFileSystem")), notify) != "" {
		set("Service", "BindReadOnlyPaths", notify)
	}
}

// bind needs a /run of the service's own, so that no mount point is left in its root folder (MountAPIVFS=, which is implied
// from version 247 on).
func (h Host) bind(s unit.File, key string, set func(section, key, value string)) error {
	mounted, given := unit.Boolean(s.Last("Service", "MountAPIVFS"))
	if h.Version < 247 || given && !mounted {
		return &service.Obstacle{
			Reason: fmt.Sprintf("%s= leaves no way to the tracer without MountAPIVFS=yes and systemd 247", key),
			Hint:   "watch it from outside, by " + attachPrefix,
		}
	}
	set("Service", "BindReadOnlyPaths", h.Tracer+":"+guest)
	return nil
}

// longestWait is how long a service waits for the probe before it starts without.
const longestWait = 10 * time.Second

// wait keeps a service's start within its time: a third of it at most is spent on waiting for the probe.
func wait(s unit.File) time.Duration {
	limit := longestWait
	for _, key := range []string{"TimeoutSec", "TimeoutStartSec"} {
		if value, err := unit.Duration(s.Last("Service", key)); err == nil && value > 0 {
			limit = min(longestWait, value/3)
		}
	}
	return limit.Round(time.Millisecond)
}
