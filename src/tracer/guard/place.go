package guard

import (
	"os"
	"regexp"
	"strings"
)

// containerID finds the id in a cgroup path of Docker, containerd, CRI-O, podman and Kubernetes (64 hexadecimal digits), of
// ECS on Fargate (32 digits, a dash, digits), and of Garden (28 letters in groups).
var containerID = regexp.MustCompile(`(?:[0-9a-f]{64})|(?:[0-9a-f]{32}-\d+)|(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){4})`)

// ContainerID is that of the container which this process runs in, empty outside one. The environment wins.
func ContainerID() string {
	if id := os.Getenv("DD_CONTAINER_ID"); id != "" {
		return id
	}
	return containerOf(memberships())
}

// CGroupID is the path of this process's control group: that of version 2, or systemd's, or the first there is.
func CGroupID() string { return groupOf(memberships()) }

// membership is a line of /proc/PID/cgroup (cgroups(7)): version 2 has hierarchy 0 and no controllers.
type membership struct{ hierarchy, controllers, path string }

func memberships() []membership {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	return parseMemberships(string(text))
}

func parseMemberships(text string) []membership {
	var list []membership
	for line := range strings.Lines(text) {
		if fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(fields) == 3 {
			list = append(list, membership{fields[0], fields[1], fields[2]})
		}
	}
	return list
}

func containerOf(list []membership) string {
	for _, m := range list {
		if all := containerID.FindAllString(m.path, -1); all != nil {
			return all[len(all)-1]
		}
	}
	return ""
}

func groupOf(list []membership) string {
	best := ""
	for _, m := range list {
		if m.path == "/" {
			continue
		}
		if m.hierarchy == "0" || m.controllers == "name=systemd" {
			return m.path
		}
		if best == "" {
			best = m.path
		}
	}
	return best
}
