package probe

import (
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

// Rules about programs hit BusyBox in their place, and nothing else that calls itself so.
func TestBusyBoxGoesByTheNamesOfItsApplets(t *testing.T) {
	model := NewModel()
	for _, c := range []struct {
		path       string
		uid, mode  uint32
		args       []string
		expression string
		want       bool
	}{
		{"/bin/busybox", 0, 0o755, []string{"wget", "x"}, `exec.file.name == "wget"`, true},
		{"/bin/busybox", 0, 0o755, []string{"/usr/bin/wget", "x"}, `exec.file.name in ["curl", "wget"]`, true},
		{"/bin/busybox", 0, 0o755, []string{"busybox", "wget", "x"}, `exec.file.path in [~"/usr/bin/w*"]`, true},
		{"/bin/busybox", 0, 0o755, []string{"wget"}, `exec.file.path == "/bin/wget" && exec.file.path == "/bin/busybox"`, true},
		{"/bin/busybox", 0, 0o755, []string{"wget"}, `exec.file.name != "wget"`, false},
		{"/bin/busybox", 0, 0o755, []string{"wget"}, `exec.file.name not in ["wget"]`, false},
		{"/bin/busybox", 0, 0o755, []string{"wget"}, `exec.file.name =~ "w*t" && exec.file.name == r"^wg"`, true},
		{"/bin/busybox", 0, 0o755, []string{"-sh"}, `exec.file.name == "sh"`, true},
		{"/bin/busybox", 0, 0o755, []string{"busybox", "--list"}, `exec.file.name == "--list"`, false},
		{"/bin/busybox", 0, 0o755, []string{"busybox"}, `exec.file.name == "busybox"`, true},
		{"/tmp/busybox", 0, 0o755, []string{"dpkg"}, `exec.file.name == "dpkg"`, false},
		{"/bin/busybox", 1000, 0o755, []string{"dpkg"}, `exec.file.name == "dpkg"`, false},
		{"/bin/busybox", 0, 0o777, []string{"dpkg"}, `exec.file.path == "/usr/bin/dpkg"`, false},
		{"/bin/dash", 0, 0o755, []string{"wget"}, `exec.file.name == "wget"`, false},
	} {
		tree := NewTree()
		e := executed(10, 1, c.path, c.args...)
		e.File.UID, e.File.Mode = c.uid, c.mode
		grow(tree, e, forked(11, 10), executed(11, 10, "/usr/bin/x", "x"))
		policy := secl.ParsePolicy("p", []byte("rules:\n  - id: r\n    expression: '"+c.expression+"'\n  - id: a\n    expression: '"+
			strings.ReplaceAll(c.expression, "exec.", "process.ancestors.")+" && exec.file.name == \"x\"'\n"))
		rules := Rules(model, []*secl.Policy{policy}, secl.Host{OS: "linux", Origin: "ebpfless"}, true)
		hits := func(pid uint32, id string) (hit bool) {
			of := &Context{Event: &event.Event{Kind: event.Exec, PID: pid}, Process: tree.Find(testNS, pid)}
			rules.Evaluate(of, "exec", func(r *secl.Rule[Context]) { hit = hit || r.Def.ID == id })
			return hit
		}
		if itself, ancestor := hits(10, "r"), hits(11, "a"); itself != c.want || ancestor != c.want {
			t.Errorf("%s %q: %s holds for it: %v, for it as an ancestor: %v; want %v", c.path, c.args, c.expression, itself, ancestor, c.want)
		}
	}
}

// What the fields of a process hold, each row an expression that is true.
func TestFieldsOfAProcess(t *testing.T) {
	tree := NewTree()
	tree.valued = []string{"LD_PRELOAD"}
	parent := executed(9, 1, "/bin/a-name-of-more-than-sixteen-bytes", "sh")
	program := executed(10, 9, "/usr/bin/tool.sh", "./tool", "-ln", "--width=8", "-T", "8", "file", "-a_b")
	program.File.Mode, program.File.UID, program.File.User = 0o104755, 33, "www-data"
	program.Exec.Envs = []string{"LD_PRELOAD=/tmp/x.so", "TOKEN=secret"}
	program.Exec.TTY = "pts0"
	program.Exec.Credentials = &event.Credentials{UID: 33, EUID: 0, GID: 33, EGID: 0}
	grow(tree, parent, program)
	c := &Context{Event: program, Process: tree.Find(testNS, 10), Hostname: "here"}
	model := NewModel()
	for _, expression := range []string{
		`exec.argv0 == "./tool" && exec.args == "-ln --width=8 -T 8 file -a_b"`,
		`exec.argv[0] == "-ln" && exec.argv[5] == "-a_b" && exec.argv[6] == ""`,
		`exec.argv not in ["./tool"] && exec.argv in ["file"]`,
		`exec.args_flags in ["l"] && exec.args_flags in ["n"] && exec.args_flags in ["ln"] && exec.args_flags in ["a_b"]`,
		`exec.args_flags not in ["width", "width=8"]`,
		`exec.args_options in ["T=8"] && exec.args_options in ["width=8"]`,
		`exec.envs in ["LD_PRELOAD=/tmp/x.so"] && exec.envs in ["TOKEN"] && exec.envs not in ["LD_PRELOAD", ~"*secret*"]`,
		`exec.envp in ["TOKEN=secret"]`,
		`exec.comm == "tool.sh" && exec.file.name == "tool.sh" && exec.file.extension == ".sh" && exec.tty_name == "pts0"`,
		`exec.file.path.length == 16 && exec.file.name.length == 7`,
		`exec.file.rights == S_ISUID | S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH`,
		`exec.file.mode & S_IFREG > 0 && exec.file.mode & S_ISUID > 0 && exec.file.mode & S_IFIFO == 0`,
		`exec.file.user == "www-data" && exec.file.uid == 33`,
		`exec.uid == 33 && exec.euid == 0 && exec.gid == 33 && exec.egid == 0`,
		`exec.pid == 10 && exec.ppid == 9 && process.parent.pid == 9 && process.ancestors.pid == 9 && process.ancestors.length == 1`,
		`process.parent.comm == "a-name-of-more-t" && process.parent.argv[0] == "" && process.parent.args == ""`,
		`exec.is_exec && !exec.is_thread && exec.container.id == "" && container.id == process.container.id`,
		`event.hostname == "here" && event.origin == "ebpfless" && event.os == "linux" && event.source == "runtime" && !event.async`,
	} {
		compiled, err := secl.Compile(model, expression, &secl.Env{AnyEvent: true})
		if err != nil {
			t.Errorf("%s: %v", expression, err)
		} else if !compiled.Eval(c) {
			t.Errorf("%s does not hold", expression)
		}
	}
}
