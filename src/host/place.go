package host

import (
	"os"
	"regexp"
	"strconv"
	"strings"
)

// Place is where a process lives: the container and the control group, empty where there is none.
type Place struct {
	ContainerID string
	CGroupID    string // path of version 2, or of systemd's hierarchy, or the first there is
}

// containerID finds the id in a cgroup path of Docker, containerd, CRI-O, podman and Kubernetes (64 hexadecimal digits), of
// ECS on Fargate (32 digits, a dash, digits), and of Garden (28 letters in groups, which UUIDs begin with, too).
var containerID = regexp.MustCompile(`(?:[0-9a-f]{64})|(?:[0-9a-f]{32}-\d+)|(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){4})`)

// engineFile finds the id in the path of a file that Docker or podman keeps for a container.
var engineFile = regexp.MustCompile(`/(?:overlay-)?containers/([0-9a-f]{64})/`)

// OwnPlace is that of this process. The container that the environment names wins. In a control group namespace, which
// engines make where there is version 2, the group says nothing, and the files do that an engine has mounted. On Amazon ECS
// its agent is asked last. The place is as good as it could be found out, also beside an error.
func OwnPlace() (p Place, err error) {
	p = placeIn("/proc/self/cgroup")
	if p.ContainerID == "" {
		text, _ := os.ReadFile("/proc/self/mountinfo")
		p.ContainerID = containerOfMounts(string(text))
	}
	if id := os.Getenv("DD_CONTAINER_ID"); id != "" {
		p.ContainerID = id
	}
	if endpoint := os.Getenv("ECS_CONTAINER_METADATA_URI_V4"); endpoint != "" && p.ContainerID == "" {
		p.ContainerID, err = containerOfECS(endpoint)
	}
	return p, err
}

// PlaceOf is that of another process, below the mount point of its proc file system.
func PlaceOf(proc string, pid int) Place {
	return placeIn(proc + "/" + strconv.Itoa(pid) + "/cgroup")
}

func placeIn(file string) Place {
	text, err := os.ReadFile(file)
	if err != nil {
		return Place{}
	}
	list := parseMemberships(string(text))
	return Place{containerOf(list), groupOf(list)}
}

// membership is a line of /proc/PID/cgroup (cgroups(7)): version 2 has hierarchy 0 and no controllers.
type membership struct{ hierarchy, controllers, path string }

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
		if id := innermost(m.path); id != "" {
			return id
		}
	}
	return ""
}

// innermost gives the last id of a path: containers may lie in containers. An id stands alone, so that UUIDs are none; and
// what an engine runs beside a container to look after it (conmon) is not in it.
func innermost(path string) string {
	id := ""
	for _, at := range containerID.FindAllStringIndex(path, -1) {
		before, after := path[:at[0]], path[at[1]:]
		if strings.HasSuffix(before, "conmon-") || after != "" && strings.IndexByte("0123456789abcdef-", after[0]) >= 0 {
			continue
		}
		id = path[at[0]:at[1]]
	}
	return id
}

// containerOfMounts reads proc_pid_mountinfo(5): engines mount these files into containers.
func containerOfMounts(text string) string {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[4] != "/etc/hostname" && fields[4] != "/etc/hosts" && fields[4] != "/etc/resolv.conf" {
			continue
		}
		if m := engineFile.FindStringSubmatch(fields[3]); m != nil {
			return m[1]
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
