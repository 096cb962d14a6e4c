package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// load is something to measure.
type load struct {
	name       string
	needs      []string
	attachable bool // a server that tracers attach to
	// run puts front before the command, and starts tracer, if there is one, for the server's pid.
	run func(front, tracer []string) (sample, error)
}

func (l *load) missing() string {
	for _, name := range l.needs {
		if found, _ := filepath.Glob(name); len(found) > 0 {
			continue
		}
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}

var loads = []load{
	{name: "500 times /bin/true", run: command("sh", "-c", "i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i+1)); done")},
	{name: "tar of /usr/include", needs: []string{"tar"}, run: command("sh", "-c", "tar cf - /usr/include 2>/dev/null | cat >/dev/null")},
	{name: "find /usr", needs: []string{"find"}, run: command("find", "/usr", "-xdev", "-name", "no-such-name")},
	{name: "go build of fmt", needs: []string{"go"}, run: goBuild},
	{name: "pgbench TPC-B", needs: []string{"pgbench", "setpriv", "/usr/lib/postgresql/*/bin/postgres"}, run: pgbench},
	{name: "redis-benchmark", needs: []string{"redis-server", "redis-benchmark"}, run: redis},
	{name: "redis-benchmark of a running server", needs: []string{"redis-server", "redis-benchmark"}, attachable: true, run: redis},
}

// command is a load that is one command.
func command(args ...string) func(front, tracer []string) (sample, error) {
	return func(front, _ []string) (sample, error) {
		full := append(append([]string{}, front...), args...)
		return timed(func() error { return quiet(exec.Command(full[0], full[1:]...)) })
	}
}

func quiet(cmd *exec.Cmd) error {
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%v: %w\n%.500s", cmd.Args, err, output)
	}
	return nil
}

func goBuild(front, _ []string) (sample, error) {
	cache, err := os.MkdirTemp("", "bench")
	if err != nil {
		return sample{}, err
	}
	defer os.RemoveAll(cache)
	full := append(append([]string{}, front...), "go", "build", "fmt")
	cmd := exec.Command(full[0], full[1:]...)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	return timed(func() error { return quiet(cmd) })
}

// service runs a server behind the tracer while a client works; only the client's time is measured.
func service(front, tracer, server []string, port int, attr *syscall.SysProcAttr, client func() error) (s sample, err error) {
	full := append(append([]string{}, front...), server...)
	cmd := exec.Command(full[0], full[1:]...)
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		return s, err
	}
	defer func() {
		// strace passes no signal on and stays between: the whole group is ended.
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		cmd.Wait()
		if !soon(func() bool { return !answers(port) }) && err == nil { // the next one would be taken for this one
			err = fmt.Errorf("%v does not end", server)
		}
	}()
	if !soon(func() bool { return answers(port) }) {
		return s, fmt.Errorf("%v does not answer", server)
	}
	if tracer != nil {
		leave, err := attach(tracer, cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		defer leave()
	}
	time.Sleep(300 * time.Millisecond)
	return timed(client)
}

// attach starts a tracer for a process that runs.
func attach(tracer []string, pid int) (leave func(), err error) {
	cmd := exec.Command(tracer[0], append(tracer[1:], "--pid", strconv.Itoa(pid))...)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	leave = func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}
	if !soon(func() bool { return traced(pid) }) {
		leave()
		return nil, fmt.Errorf("%v does not attach", cmd.Args)
	}
	return leave, nil
}

func traced(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "TracerPid:\t0\n")
}

func answers(port int) bool {
	conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// soon waits ten seconds for something to become true.
func soon(done func() bool) bool {
	for range 200 {
		if done() {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

var ownGroup = &syscall.SysProcAttr{Setpgid: true}

func redis(front, tracer []string) (sample, error) {
	const port = 26379
	server := []string{"redis-server", "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"}
	return service(front, tracer, server, port, ownGroup, func() error {
		return quiet(exec.Command("redis-benchmark", "-q", "-p", strconv.Itoa(port), "-n", "150000", "-c", "20", "-t", "set,get"))
	})
}

func pgbench(front, tracer []string) (sample, error) {
	const port = 25432
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return sample{}, err
	}
	defer os.RemoveAll(dir)
	owner, err := user.Lookup("postgres")
	if err != nil {
		return sample{}, err
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	if err := os.Chown(dir, uid, gid); err != nil {
		return sample{}, err
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	bin := filepath.Dir(found[len(found)-1])
	as := []string{"setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"}
	initdb := append(append([]string{}, as...), bin+"/initdb", "-D", dir+"/data", "-A", "trust", "-U", "postgres", "--no-sync")
	if err := quiet(exec.Command(initdb[0], initdb[1:]...)); err != nil {
		return sample{}, err
	}
	server := append(as, bin+"/postgres", "-D", dir+"/data", "-k", dir, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-c", "fsync=off")
	client := []string{"-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", "postgres", "postgres"}
	return service(front, tracer, server, port, ownGroup, func() error {
		if err := quiet(exec.Command("pgbench", append([]string{"-q", "-i", "-s", "2"}, client...)...)); err != nil {
			return err
		}
		return quiet(exec.Command("pgbench", append([]string{"-n", "-c", "4", "-j", "2", "-t", "1500"}, client...)...))
	})
}
