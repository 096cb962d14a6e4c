package host

import (
	"os"
	"os/exec"
	"testing"
)

func TestTheFolderOfAControlGroupIsFoundByItsMount(t *testing.T) {
	const mountinfo = `25 30 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
26 25 0:23 / /sys/fs/cgroup/unified rw shared:1 - cgroup2 cgroup2 rw,nsdelegate
27 25 0:24 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
28 25 0:25 /docker/1234 /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
`
	for _, c := range []struct {
		m    membership
		want string
	}{
		{membership{"0", "", "/system.slice/x.service"}, "/sys/fs/cgroup/unified/system.slice/x.service"},
		{membership{"1", "name=systemd", "/"}, "/sys/fs/cgroup/systemd"},
		{membership{"3", "cpu,cpuacct", "/docker/1234/inner"}, "/sys/fs/cgroup/cpu,cpuacct/inner"},
		{membership{"3", "cpu,cpuacct", "/docker/1234"}, "/sys/fs/cgroup/cpu,cpuacct"},
		{membership{"3", "cpu,cpuacct", "/docker/12345"}, ""}, // outside of what is mounted
		{membership{"4", "memory", "/x"}, ""},
	} {
		got, err := c.m.folder(mountinfo)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%+v: got %q, %v, want %q", c.m, got, err, c.want)
		}
	}
}

func TestAChildIsInOurControlGroups(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	if !SameGroups(child.Process.Pid) {
		t.Error("it is said to be elsewhere")
	}
	if err := JoinGroups(child.Process.Pid); err != nil {
		t.Error(err)
	}
	if SameGroups(os.Getpid() + 1<<23) {
		t.Error("a process that there is not is said to be in the same control groups")
	}
}
