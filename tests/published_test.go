package tests

import (
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
)

// published has a row for each kind of rule in the policy that Datadog publishes (security-agent-policies,
// runtime/default.policy, version 1.46): its fields, operators, constants and actions, put in words of our own. refused is
// what the refusal says, empty for rules that load; warned is what is said of a rule that loads and can hit less.
var published = []struct {
	about, expression string
	more              string // further keys of the rule
	refused, warned   string
}{
	{about: "a tool on a terminal", expression: `exec.file.name in ["aa-off", "aa-soft"] && exec.tty_name != ""`},
	{about: "a tool without some of its flags", expression: `exec.file.name == "auditctl" && exec.args_flags not in ["s", "l"]`},
	{about: "an option's value", expression: `exec.comm in ["wget"] && exec.args_options in [~"post-file=*"]`},
	{about: "flags from a macro", expression: `open.file.path == "/etc/audit/auditd.conf" && open.flags & (WRITE_FLAGS) > 0 && process.file.name != "auditctl"`},
	{about: "lists of paths from a macro", expression: `open.file.path in KEY_PATHS && process.file.path not in [~"/opt/tools/**"]`},
	{about: "a plain string as a pattern", expression: `open.file.path =~ "/run/secrets/token.io/**" && open.file.name == "token"`},
	{about: "arguments as a whole", expression: `exec.args in [~"*169.254.169.254/latest/*"] && exec.argv in ["-X"]`},
	{about: "no match of a pattern", expression: `open.file.name !~ "runc.*" && open.file.path == "/usr/bin/runc"`},
	{about: "a regular expression", expression: `exec.file.name == "sh" && exec.args =~ r".*(a|b).*"`},
	{about: "several lines", expression: "|-\n      open.flags & O_CREAT > 0\n      && (open.file.extension == \".ko\"\n        || open.file.name in [~\".*\"])"},
	{about: "a mode that changes", expression: `chmod.file.path in [~"/etc/*"] && chmod.file.destination.mode != chmod.file.mode`},
	{about: "execution bits added", expression: `chmod.file.destination.mode & (S_IXUSR | S_IXGRP | S_IXOTH) > 0 && chmod.file.change_time < 30s`},
	{about: "an owner that changes", expression: `chown.file.path == "/etc/passwd" && (chown.file.destination.uid != chown.file.uid || chown.file.destination.gid != chown.file.gid)`},
	{about: "links, both ends", expression: `link.file.path in ["/etc/shadow"] || link.file.destination.path in ["/etc/shadow"]`},
	{about: "renames, both ends", expression: `rename.file.path in ["/etc/shadow"] || rename.file.destination.path in ["/etc/shadow"]`},
	{about: "deletion", expression: `unlink.file.path =~ "/var/log/**" && unlink.file.name != "x"`},
	{about: "times", expression: `utimes.file.path in ["/etc/shadow"] && process.file.path != "/usr/bin/touch"`},
	{about: "ages of files and containers", expression: `open.file.path == "/x" && process.file.modification_time < 30s && container.created_at > 90s`},
	{about: "ages of processes", expression: `exec.file.name == "x" && process.parent.file.modification_time < 30s && process.created_at > 1m`},
	{about: "inside a container", expression: `exec.file.name == "x" && process.container.id != "" && exec.cgroup.id != ""`},
	{about: "the origin of events", expression: `exec.file.name == "x" && (event.origin != "ebpf" || process.args == "")`},
	{about: "ancestors", expression: `exec.file.name in ["sh"] && process.ancestors.file.name in ["nginx", ~"tomcat*"] && process.ancestors.args != ~"*X*"`},
	{about: "one ancestor for all", expression: `exec.comm == "x" && process.ancestors[A].comm == "y" && process.ancestors[A].argv in ["-l"] && process.ancestors[A].args_flags in ["l"]`},
	{about: "a connection by port", expression: `connect.addr.port in [3333, 1080] && connect.addr.is_public == true && connect.addr.family & (AF_INET | AF_INET6) > 0`},
	{about: "a connection by network", expression: `connect.addr.ip in [10.0.0.0/8, fe80::/10] && process.comm != "x"`},
	{about: "a module", expression: `load_module.name not in ["nf_tables"] && process.file.path != "/sbin/modprobe" && load_module.loaded_from_memory == true`},
	{about: "a mount", expression: `mount.mountpoint.path == "/proc" && mount.fs_type != "bind" && mount.source.path != "x"`},
	{about: "ids", expression: `setuid.euid == 0 && process.euid != 0 && process.uid != 0`},
	{about: "capabilities", expression: `exec.file.name == "x" && process.cap_permitted & CAP_SYS_ADMIN > 0`},
	{about: "tracing of what has other rights", expression: `ptrace.request == PTRACE_ATTACH && ptrace.tracee.euid != process.euid && process.file.name not in ["gdb"]`},
	{about: "a signal", expression: `signal.type == SIGKILL && process.comm != "x"`},
	{about: "how a process ended", expression: `exit.cause == COREDUMPED && process.comm != "x"`},
	{about: "a socket's filter", expression: `setsockopt.level == SOL_SOCKET && setsockopt.optname == SO_ATTACH_FILTER`},
	{about: "a name of a thread", expression: `prctl.option == PR_SET_NAME && prctl.new_name in [~"[*"] && process.file.path != "/x"`},
	{about: "environment", expression: `exec.file.name == "x" && exec.envs in ["LD_PRELOAD"] && process.envs != "Y"`},
	{about: "a set-user-id program", expression: `exec.file.mode & S_ISUID > 0 && exec.file.uid == 0 && process.uid != 0`},
	{about: "a service", expression: `exec.file.name == "x" && event.service != "y" && event.source == "runtime"`},
	{about: "where nobody has logged in", expression: `exec.auid >= 0 && exec.auid != AUDIT_AUID_UNSET`, warned: "exec.auid is always empty"},
	{about: "a variable with a life of nanoseconds", expression: `exec.file.name == "x" && process.args not in ${cgroup.seen}`,
		more: "every: 60000000000\n    actions:\n      - filter: process.pid != 0\n        set: {name: seen, field: process.args, ttl: 3600000000000, append: true, private: true, scope: cgroup}\n"},
	{about: "a variable that counts", expression: `open.file.name == "x" && ${process.opened} >= 3`,
		more: "actions:\n      - set: {name: opened, expression: '${process.opened} + 1', default_value: 0, scope: process, inherited: true}\n"},
	{about: "a hash", expression: `exec.file.name == "x"`, more: "actions:\n      - hash: {field: exec.file}\n"},
	{about: "another system", expression: `exec.file.name == "x"`, more: "filters: ['os == \"windows\"']\n", refused: "no filter is true on this host"},
	{about: "another agent", expression: `exec.file.name == "x"`, more: "agent_version: '>= 99.1'\n", refused: "doesn't meet"},

	{about: "layers of containers", expression: `exec.file.name == "x" && process.file.in_upper_layer == true`, warned: "process.file.in_upper_layer is always empty"},
	{about: "names of hosts", expression: `connect.addr.hostname in [~"*.example.com"]`, warned: "connect.addr.hostname is always empty"},
	{about: "tags of containers", expression: `exec.file.name == "x" && container.tags in ["image_name:x"]`, warned: "container.tags is always empty"},
	{about: "sessions", expression: `exec.user_session.k8s_username != "" && exec.file.name == "x"`, warned: "k8s_username is always empty"},

	{about: "names that are looked up", expression: `dns.question.name in ["example.com"]`, refused: "dns events can't be seen in eBPF-less mode"},
	{about: "the cloud's metadata by content", expression: `imds.url =~ "*/credentials/*"`, refused: "imds events can't be seen in eBPF-less mode"},
	{about: "eBPF programs", expression: `bpf.cmd == BPF_PROG_LOAD`, refused: "bpf events can't be seen in eBPF-less mode"},
	{about: "mappings", expression: `mmap.file.path == "/x" && mmap.flags & MAP_SHARED > 0`, refused: "mmap events can't be seen in eBPF-less mode"},
	{about: "pipes", expression: `splice.pipe_entry_flag & PIPE_BUF_FLAG_CAN_MERGE == 0`, refused: "splice events can't be seen in eBPF-less mode"},
	{about: "SELinux by the kernel", expression: `selinux.enforce.status in ["permissive"]`, refused: "selinux events can't be seen in eBPF-less mode"},
	{about: "packets", expression: `packet.filter == "tcp port 80"`, refused: "packet events can't be seen in eBPF-less mode"},
	{about: "moves between control groups", expression: `cgroup_write.pid == 1`, refused: "cgroup_write events can't be seen in eBPF-less mode"},
	{about: "a folder's depth in the middle", expression: `open.file.path in [~"/run/secrets/**/token"]`, refused: "** may only be the whole last element"},
	{about: "a variable that nobody sets", expression: `unlink.file.path in ${cgroup.chain}`, refused: "no set action makes it"},
	{about: "a list that grows by single values", expression: `open.file.path == "/x" && "aws" not in ${cgroup.kinds}`,
		more: "actions:\n      - set: {name: kinds, value: aws, append: true, scope: cgroup}\n"},
	{about: "a list in a list", expression: `exec.file.name == "x" && process.ancestors.pid in ${cgroup.pids}`,
		more: "actions:\n      - set: {name: pids, field: process.pid, append: true, scope: cgroup}\n"},
	{about: "registry keys of Windows", expression: `set.registry.key_path == "x"`, refused: "unknown field"},
}

func TestPublishedRulesLoadOrSayWhyNot(t *testing.T) {
	model := probe.NewModel()
	for _, row := range published {
		expression := "'" + strings.ReplaceAll(row.expression, "'", "''") + "'"
		if strings.HasPrefix(row.expression, "|-") {
			expression = row.expression
		}
		text := "macros:\n  - id: WRITE_FLAGS\n    expression: O_CREAT|O_TRUNC|O_APPEND|O_RDWR|O_WRONLY\n" +
			"  - id: KEY_PATHS\n    expression: |-\n      [\"/etc/key\",\n       ~\"/etc/keys/*\"]\n" +
			"rules:\n  - id: it\n    expression: " + expression + "\n"
		if row.more != "" {
			text += "    " + row.more
		}
		rules := probe.Rules(model, []*secl.Policy{secl.ParsePolicy("published.policy", []byte(text))},
			secl.Host{OS: "linux", Origin: "ebpfless"}, true)
		if len(rules.Outcomes) != 1 {
			t.Errorf("%s: %v", row.about, rules.Outcomes)
			continue
		}
		o := rules.Outcomes[0]
		if loaded := o.Status == secl.Loaded; loaded != (row.refused == "") || !strings.Contains(o.Message, row.refused) {
			t.Errorf("%s: %v, want %q", row.about, o, row.refused)
		}
		warnings := strings.Join(o.Warnings, "; ")
		if (warnings == "") != (row.warned == "") || !strings.Contains(warnings, row.warned) {
			t.Errorf("%s: warnings %q, want %q", row.about, warnings, row.warned)
		}
	}
}
