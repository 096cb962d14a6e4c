package host

import (
	"os"
	"strings"
	"testing"
)

const (
	long    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	another = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
	fargate = "34dc0b5e626f2c5c4c5170e34b10e765-1234567890"
	garden  = "6f265890-5165-7fab-6b52-18d1"
)

func TestPlaceIsReadFromTheControlGroups(t *testing.T) {
	for name, c := range map[string]struct{ text, container, group string }{
		"host without groups":                   {text: ""},
		"root of version 2":                     {text: "0::/\n"},
		"systemd service":                       {text: "0::/system.slice/nginx.service\n", group: "/system.slice/nginx.service"},
		"systemd on version 1":                  {text: "5:cpu,cpuacct:/\n4:memory:/user\n1:name=systemd:/user.slice/user-0.slice\n", group: "/user.slice/user-0.slice"},
		"both versions":                         {text: "4:memory:/mine\n1:name=systemd:/\n0::/init.scope\n", group: "/init.scope"},
		"version 1, no systemd":                 {text: "4:cpu:/\n3:memory:/mine\n2:pids:/other\n", group: "/mine"},
		"docker, cgroupfs driver":               {text: "3:cpu:/docker/" + long + "\n0::/\n", container: long, group: "/docker/" + long},
		"docker, systemd driver":                {text: "0::/system.slice/docker-" + long + ".scope\n", container: long, group: "/system.slice/docker-" + long + ".scope"},
		"kubernetes, containerd":                {text: "0::/kubepods.slice/kubepods-pod1/cri-containerd-" + long + ".scope\n", container: long, group: "/kubepods.slice/kubepods-pod1/cri-containerd-" + long + ".scope"},
		"podman, without root":                  {text: "0::/user.slice/user-1000.slice/libpod-" + long + ".scope/container\n", container: long, group: "/user.slice/user-1000.slice/libpod-" + long + ".scope/container"},
		"a container in another":                {text: "0::/docker/" + another + "/docker/" + long + "\n", container: long, group: "/docker/" + another + "/docker/" + long},
		"docker, without a namespace of groups": {text: "0::/../docker-" + long + ".scope\n", container: long, group: "/../docker-" + long + ".scope"},
		"kubernetes, version 1":                 {text: "11:memory:/kubepods/besteffort/pod6f265890-5165-7fab-6b52-18d1aabbccdd/" + long + "\n", container: long, group: "/kubepods/besteffort/pod6f265890-5165-7fab-6b52-18d1aabbccdd/" + long},
		"kubernetes, containerd, version 1":     {text: "1:name=systemd:/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:" + long + "\n", container: long, group: "/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:" + long},
		"containerd by itself":                  {text: "0::/default/" + long + "\n", container: long, group: "/default/" + long},
		"kubernetes, CRI-O":                     {text: "0::/kubepods.slice/kubepods-pod1.slice/crio-" + long + ".scope\n", container: long, group: "/kubepods.slice/kubepods-pod1.slice/crio-" + long + ".scope"},
		"CRI-O, inside":                         {text: "0::/kubepods.slice/crio-" + long + ".scope/container\n", container: long, group: "/kubepods.slice/crio-" + long + ".scope/container"},
		"CRI-O's monitor":                       {text: "0::/kubepods.slice/crio-conmon-" + long + ".scope\n", group: "/kubepods.slice/crio-conmon-" + long + ".scope"},
		"podman":                                {text: "0::/machine.slice/libpod-" + long + ".scope/container\n", container: long, group: "/machine.slice/libpod-" + long + ".scope/container"},
		"podman, version 1":                     {text: "4:memory:/libpod_parent/libpod-" + long + "\n", container: long, group: "/libpod_parent/libpod-" + long},
		"podman's monitor":                      {text: "0::/machine.slice/libpod-conmon-" + long + ".scope\n", group: "/machine.slice/libpod-conmon-" + long + ".scope"},
		"systemd in a container":                {text: "1:name=systemd:/docker/" + long + "/system.slice/nginx.service\n", container: long, group: "/docker/" + long + "/system.slice/nginx.service"},
		"ECS on EC2":                            {text: "9:memory:/ecs/34dc0b5e626f2c5c4c5170e34b10e765/" + long + "\n", container: long, group: "/ecs/34dc0b5e626f2c5c4c5170e34b10e765/" + long},
		"ECS on Fargate 1.4":                    {text: "9:memory:/ecs/34dc0b5e626f2c5c4c5170e34b10e765/" + fargate + "\n", container: fargate, group: "/ecs/34dc0b5e626f2c5c4c5170e34b10e765/" + fargate},
		"a terminal of a desktop":               {text: "0::/user.slice/vte-spawn-6f265890-5165-7fab-6b52-18d1aabbccdd.scope\n", group: "/user.slice/vte-spawn-6f265890-5165-7fab-6b52-18d1aabbccdd.scope"},
		"digits that are too many":              {text: "0::/docker/" + long + "0\n", group: "/docker/" + long + "0"},
		"ECS on Fargate":                        {text: "9:cpu:/ecs/task/" + fargate + "\n", container: fargate, group: "/ecs/task/" + fargate},
		"Garden":                                {text: "9:cpu:/garden/" + garden + "\n", container: garden, group: "/garden/" + garden},
		"digits that are too few":               {text: "0::/docker/" + long[:63] + "\n", group: "/docker/" + long[:63]},
		"capitals":                              {text: "0::/docker/" + strings.ToUpper(long) + "\n", group: "/docker/" + strings.ToUpper(long)},
		"found in the second line":              {text: "5:cpu:/\n4:memory:/docker/" + long + "\n", container: long, group: "/docker/" + long},
		"colons in the path":                    {text: "0::/a:b:c\n", group: "/a:b:c"},
		"spaces in the path":                    {text: "0::/ a b \n", group: "/ a b "},
		"a line that is cut":                    {text: "5:cpu\n0::/mine", group: "/mine"},
	} {
		list := parseMemberships(c.text)
		if got := containerOf(list); got != c.container {
			t.Errorf("%s: container %q, want %q", name, got, c.container)
		}
		if got := groupOf(list); got != c.group {
			t.Errorf("%s: group %q, want %q", name, got, c.group)
		}
	}
}

// In a control group namespace a container is known by what is mounted.
func TestPlaceIsReadFromTheMounts(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"docker":       {"1 0 0:1 / / rw - overlay overlay rw\n707 682 8:1 /var/lib/docker/containers/" + long + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n", long},
		"own disk":     {"707 682 8:1 /docker/containers/" + long + "/resolv.conf /etc/resolv.conf rw - ext4 /dev/sdb1 rw\n", long},
		"podman":       {"707 682 0:24 /containers/storage/overlay-containers/" + long + "/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n", long},
		"a pod's file": {"707 682 8:1 /var/lib/kubelet/pods/6f265890/etc-hosts /etc/hosts rw - ext4 /dev/sda1 rw\n", ""},
		"another file": {"707 682 8:1 /var/lib/docker/containers/" + long + "/hostname /srv/x rw - ext4 /dev/sda1 rw\n", ""},
		"a host":       {"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n", ""},
		"cut":          {"1 0 8:1\n", ""},
	} {
		if got := containerOfMounts(c.text); got != c.want {
			t.Errorf("%s: container %q, want %q", name, got, c.want)
		}
	}
}

func TestTheEnvironmentNamesTheContainer(t *testing.T) {
	t.Setenv("DD_CONTAINER_ID", "given")
	if p, err := OwnPlace(); p.ContainerID != "given" || err != nil {
		t.Errorf("container %q, %v", p.ContainerID, err)
	}
}

// Where the kernel shows this process must be found as the kernel shows it.
func TestPlaceOfThisProcess(t *testing.T) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip("a kernel without control groups: ", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, mounts...)
	p, _ := OwnPlace()
	for name, got := range map[string]string{"group": p.CGroupID, "container": p.ContainerID} {
		if os.Getenv("DD_CONTAINER_ID") == "" && !strings.Contains(string(text), got) {
			t.Errorf("%s %q is not in\n%s", name, got, text)
		}
	}
}
