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
	return containerOf(cgroups())
}

func containerOf(paths []string) string {
	for _, path := range paths {
		if all := containerID.FindAllString(path, -1); all != nil {
			return all[len(all)-1]
		}
	}
	return ""
}

// CGroupID is the path of this process's control group: that of version 2, or systemd's, or the first there is.
func CGroupID() string {
	best := ""
	for _, line := range lines() {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) != 3 || fields[2] == "/" {
			continue
		}
		if fields[0] == "0" || fields[1] == "name=systemd" {
			return fields[2]
		}
		if best == "" {
			best = fields[2]
		}
	}
	return best
}

func cgroups() []string {
	var paths []string
	for _, line := range lines() {
		if fields := strings.SplitN(line, ":", 3); len(fields) == 3 {
			paths = append(paths, fields[2])
		}
	}
	return paths
}

func lines() []string {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
