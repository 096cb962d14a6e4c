package probe

import (
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/secl"
)

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
