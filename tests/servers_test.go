package tests

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/tests/recorder"
)

// server is a real one from the distribution, and a load that counts what fails.
type server struct {
	name    string
	needs   []string // programs
	prepare func(t *testing.T, s *site)
	command func(s *site) []string
	ready   func(s *site) bool
	load    func(s *site) []string
	perfect func(output string) error          // what the load's output must say
	seen    func(s *site, e *event.Event) bool // an event of the server at work
}

// site is where one server runs.
type site struct {
	dir  string
	port int
}

func (s *site) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// asPostgres runs a command as the user that the package made: the server refuses root.
func asPostgres(command ...string) []string {
	return append([]string{"setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"}, command...)
}

func postgres(program string) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + program)
	if len(found) == 0 {
		return program
	}
	return found[len(found)-1]
}

var servers = []server{
	{
		name: "nginx", needs: []string{"nginx", "wrk"},
		prepare: func(t *testing.T, s *site) {
			write(t, s.dir+"/page.html", strings.Repeat("hello\n", 100))
			write(t, s.dir+"/nginx.conf", fmt.Sprintf("daemon off; master_process on; worker_processes 2; pid %s/pid; error_log %s/error;\n"+
				"events {}\nhttp { access_log %s/access; server { listen %s; root %s; } }\n", s.dir, s.dir, s.dir, s.addr(), s.dir))
		},
		command: func(s *site) []string { return []string{"nginx", "-p", s.dir, "-c", s.dir + "/nginx.conf"} },
		load: func(s *site) []string {
			return []string{"wrk", "-t", "2", "-c", "8", "-d", "3s", "http://" + s.addr() + "/page.html"}
		},
		perfect: func(output string) error {
			if strings.Contains(output, "Socket errors") || strings.Contains(output, "Non-2xx") { // printed only when there are any
				return fmt.Errorf("not every request succeeded")
			}
			if !regexp.MustCompile(`(?m)^ +[1-9][0-9]* requests in `).MatchString(output) {
				return fmt.Errorf("no request was made")
			}
			return nil
		},
		seen: func(s *site, e *event.Event) bool {
			return e.Kind == event.Open && e.File.Path == s.dir+"/page.html" && e.Retval >= 0
		},
	},
	{
		name: "redis", needs: []string{"redis-server", "redis-benchmark", "redis-cli"},
		command: func(s *site) []string {
			return []string{"redis-server", "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--save", "1 1", "--daemonize", "no"}
		},
		load: func(s *site) []string {
			port := strconv.Itoa(s.port)
			script := `redis-benchmark -p ` + port + ` -n 20000 -c 10 -t set,get,lpush --csv
				save() { redis-cli -p ` + port + ` save; }
				while answer=$(save) && echo "$answer" | grep -q 'in progress'; do sleep 0.1; done # of its own accord it saves, too
				echo "$answer"`
			return []string{"sh", "-ec", script}
		},
		perfect: func(output string) error {
			for _, part := range []string{`"SET"`, `"GET"`, `"LPUSH"`, "OK"} {
				if !strings.Contains(output, part) {
					return fmt.Errorf("%s is missing", part)
				}
			}
			if regexp.MustCompile(`(?i)error|refused`).MatchString(output) {
				return fmt.Errorf("there were errors")
			}
			return nil
		},
		seen: func(s *site, e *event.Event) bool {
			return e.Kind == event.Rename && e.Destination.Path == s.dir+"/dump.rdb"
		},
	},
	{
		name: "postgresql", needs: []string{"/usr/lib/postgresql/*/bin/postgres", "pgbench", "setpriv"},
		prepare: func(t *testing.T, s *site) {
			if err := os.Chown(s.dir, id(t, "-u"), id(t, "-g")); err != nil {
				t.Fatal(err)
			}
			must(t, asPostgres(postgres("initdb"), "-D", s.dir+"/data", "-A", "trust", "-U", "postgres", "--no-sync")...)
		},
		command: func(s *site) []string {
			return asPostgres(postgres("postgres"), "-D", s.dir+"/data", "-k", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port))
		},
		ready: func(s *site) bool {
			return exec.Command("pg_isready", "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port)).Run() == nil
		},
		load: func(s *site) []string {
			options := "-h 127.0.0.1 -p " + strconv.Itoa(s.port) + " -U postgres postgres"
			return []string{"sh", "-ec", "pgbench -q -i -s 1 " + options + " && pgbench -n -c 4 -j 2 -t 200 " + options}
		},
		perfect: func(output string) error {
			if !strings.Contains(output, "transactions actually processed: 800/800") || !strings.Contains(output, "failed transactions: 0 ") {
				return fmt.Errorf("not every transaction succeeded")
			}
			return nil
		},
		seen: func(s *site, e *event.Event) bool {
			return e.Kind == event.Open && strings.HasPrefix(e.File.Path, s.dir+"/data/base/")
		},
	},
}

// Real servers under load must not fail one request, wrapped or attached to, and what they do must be seen.
func TestServers(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "needs root, to become the user that the database wants")
	}
	for _, srv := range servers {
		t.Run(srv.name+"/wrapped", func(t *testing.T) { srv.try(t, false) })
		t.Run(srv.name+"/attached", func(t *testing.T) { srv.try(t, true) })
		t.Run(srv.name+"/attached, filter", func(t *testing.T) { srv.try(t, true, "--install-filter") })
	}
}

func (srv *server) try(t *testing.T, attach bool, flags ...string) {
	for _, name := range srv.needs {
		if found, _ := filepath.Glob(name); len(found) == 0 {
			if _, err := exec.LookPath(name); err != nil {
				skip(t, "no "+name+" (apt-get install nginx-light redis-server postgresql wrk)")
			}
		}
	}
	dir, err := publicDir("server")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	probe, err := recorder.Start(ours)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	s := &site{dir: dir, port: freePort(t)}
	if srv.prepare != nil {
		srv.prepare(t, s)
	}
	tracer := append([]string{program(t, "cws-instrumentation"), "trace", "--probe-addr", probe.Addr()}, flags...)
	command := srv.command(s)
	if !attach {
		command = append(append(tracer, "--"), command...)
	}
	r := start(t, dir, nil, os.Geteuid(), command[0], command[1:]...)
	pid := r.command.Process.Pid
	srv.await(t, s)
	var watcher *running
	if attach {
		watcher = start(t, dir, nil, os.Geteuid(), tracer[0], append(tracer[1:], pidFlags(pid)...)...)
		if err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return e.PID == uint32(pid) && e.Exec.FromProcFS }); err != nil {
			watcher.command.Process.Kill()
			t.Fatalf("attach: %v\n%s", err, watcher.wait(t).stderr)
		}
	}
	load := srv.load(s)
	output, err := exec.Command(load[0], load[1:]...).CombinedOutput()
	if err == nil {
		err = srv.perfect(string(output))
	}
	if err != nil {
		t.Errorf("under load: %v\n%.3000s", err, output)
	}
	if err := probe.WaitEvent(leaveLimit, func(e *event.Event) bool { return srv.seen(s, e) }); err != nil {
		t.Error("nothing was seen of its work: ", err)
	}
	syscall.Kill(pid, syscall.SIGTERM)
	if o := r.wait(t); o.status.ExitStatus() != 0 {
		t.Errorf("it ended with %#x\n%.2000s", o.status, o.stderr)
	}
	if watcher != nil {
		if o := watcher.wait(t); o.status != 0 {
			t.Errorf("the tracer ended with %#x: %s", o.status, o.stderr)
		}
	}
	if err := probe.Err(); err != nil {
		t.Error(err)
	}
}

// pidFlags names a server's process and its children, as pidof does.
func pidFlags(pid int) []string {
	flags := []string{"--pid", strconv.Itoa(pid)}
	children, _ := exec.Command("pgrep", "--parent", strconv.Itoa(pid)).Output() // it fails where there are none
	for child := range strings.FieldsSeq(string(children)) {
		flags = append(flags, "--pid", child)
	}
	return flags
}

func (srv *server) await(t *testing.T, s *site) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.addr())
		if err == nil {
			conn.Close()
			if srv.ready == nil || srv.ready(s) {
				return
			}
		}
	}
	t.Fatalf("%s does not answer at %s", srv.name, s.addr())
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, command ...string) string {
	t.Helper()
	output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
	return strings.TrimSpace(string(output))
}

func id(t *testing.T, which string) int {
	t.Helper()
	n, err := strconv.Atoi(must(t, "id", which, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}
