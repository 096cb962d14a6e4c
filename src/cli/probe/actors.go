package probe

import (
	"os"

	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/probe/digest"
	"github.com/ebpfless/ebpfless/src/probe/enforce"
	"github.com/sirupsen/logrus"
)

// procMount is where the host's processes are seen: a container is given them elsewhere.
func procMount() string {
	if mount := os.Getenv("HOST_PROC"); mount != "" {
		return mount
	}
	return "/proc"
}

// actors are as the configuration wants them.
func actors(c *config.Config, log *logrus.Entry) (probe.Actors, error) {
	killer, err := enforce.NewKiller(procMount(), c.EnforcementExclude)
	if err != nil {
		return probe.Actors{}, err
	}
	a := probe.Actors{
		Killer: killer, HashEvents: c.HashEventTypes, Proc: procMount(), Log: log,
		Limits: enforce.Limits{
			Containers: limit(c.DisarmContainer), Executables: limit(c.DisarmExecutable), Processes: limit(c.DisarmProcess),
		},
	}
	if c.HashEnabled {
		a.Hasher = digest.New(c.HashAlgorithms, int64(c.HashMaxFileSize), c.HashMaxRate)
	}
	return a, nil
}

func limit(d config.Disarmer) enforce.Limit {
	if !d.Enabled {
		return enforce.Limit{}
	}
	return enforce.Limit{Max: d.MaxAllowed, Period: d.Period}
}
