package secl

import (
	"net/netip"
	"strings"
	"testing"
)

// conformance has at least a row for every operator and element of the language. A row that ends in an error says
// which.
var conformance = []struct {
	feature, expression string
	want                bool
	refused             string // part of the message
}{
	{"== int", `open.retval == 3`, true, ""},
	{"== constant on the left", `3 == open.retval`, true, ""},
	{"!= int", `open.retval != 3`, false, ""},
	{"< int", `open.retval < 4`, true, ""},
	{"<= int", `open.retval <= 3`, true, ""},
	{"> int mirrored", `4 > open.retval`, true, ""},
	{">= int, two tokens", `open.retval > = 3`, true, ""},
	{"== string", `open.file.name == "shadow"`, true, ""},
	{"!= string", `open.file.name != "shadow"`, false, ""},
	{"case-sensitive", `open.file.name == "Shadow"`, false, ""},
	{"== two fields", `open.file.uid == process.uid`, false, ""},
	{"== pattern", `open.file.name == ~"sh*"`, true, ""},
	{"pattern on the left", `~"sh*" == open.file.name`, true, ""},
	{"!= regexp", `open.file.name != r"^sha"`, false, ""},
	{"=~ string read as pattern", `open.file.name =~ "*ado*"`, true, ""},
	{"=~ pattern", `open.file.name =~ ~"*ado*"`, true, ""},
	{"=~ without blank", `open.file.name=~"*ado*"`, true, ""},
	{"!~ regexp", `open.file.name !~ r"a.o"`, false, ""},
	{"=~ with variable", `open.file.name =~ "${process.pid}"`, false, "must be a literal"},
	{"== bool", `event.async == true && open.retval == 3`, true, ""},
	{"bool alone", `event.async && open.retval == 3`, true, ""},
	{"! bool", `!event.async && open.retval == 3`, false, ""},
	{"not group", `not (open.retval == 4)`, true, ""},
	{"! binds tighter than ==", `!event.async == false && open.retval == 3`, true, ""},
	{"and and or group right", `open.retval == 4 && open.retval == 4 || open.retval == 3`, false, ""},
	{"or and and group right", `open.retval == 3 || open.retval == 3 && open.retval == 4`, true, ""},
	{"in strings", `open.file.name in ["passwd", "shadow"]`, true, ""},
	{"in patterns", `open.file.path in ["/etc/passwd", ~"/etc/sh*", r"^/x"]`, true, ""},
	{"not in", `open.file.name not in ["passwd"]`, true, ""},
	{"in ints", `open.retval in [1, 2, 3]`, true, ""},
	{"in constants", `open.retval in [EACCES, EPERM]`, false, ""},
	{"in bools", `event.async in [true] && open.retval == 3`, true, ""},
	{"literal in array", `"-x" in process.argv && open.retval == 3`, true, ""},
	{"pattern in array", `~"-*" in process.argv && open.retval == 3`, true, ""},
	{"literal in iterated field", `~"*.sh" in process.ancestors.file.path && open.retval == 3`, false, ""},
	{"array == any", `process.argv == "-x" && open.retval == 3`, true, ""},
	{"array != is the negation", `process.argv != "-x" && open.retval == 3`, false, ""},
	{"array in list", `process.argv in ["-y", "-x"] && open.retval == 3`, true, ""},
	{"array not in list", `process.argv not in ["-y"] && open.retval == 3`, true, ""},
	{"allin of strings is in", `process.argv allin ["-x"] && open.retval == 3`, true, ""},
	{"array in array", `process.argv in process.ancestors.argv && open.retval == 3`, false, ""},
	{"array not in array", `process.argv not in process.ancestors.argv && open.retval == 3`, true, ""},
	{"arrays of other types", `process.argv in process.ancestors.uid`, false, "can't be in"},
	{"iterated field in itself", `process.ancestors.uid in process.ancestors.uid && open.retval == 3`, true, ""},
	{"string array on the right", `"-x" == process.argv`, false, "stands on the left"},
	{"index", `process.argv[1] == "-x" && open.retval == 3`, true, ""},
	{"index out of range", `process.argv[9] == "" && open.retval == 3`, true, ""},
	{"index of no array", `open.file.name[0] == ""`, false, "is not an array"},
	{"&", `open.flags & O_CREAT > 0`, true, ""},
	{"| and ^", `open.flags & (O_CREAT | O_TRUNC) ^ 0 > 0`, true, ""},
	{"& binds tighter than +", `open.retval + 1 & 1 == 4`, true, ""},
	{"- groups left", `open.retval - 1 - 1 == 1`, true, ""},
	{"unary - and ^", `open.retval + - 3 == 0 && ^open.retval == -4`, true, ""},
	{"sign belongs to the number", `open.retval -1 == 2`, false, `write "- 1"`},
	{"length", `open.file.path.length == 11`, true, ""},
	{"length of a name", `open.file.name.length > 5`, true, ""},
	{"iterator", `process.ancestors.file.name == "nginx" && open.retval == 3`, true, ""},
	{"iterator !=", `process.ancestors.file.name != "nginx" && open.retval == 3`, false, ""},
	{"iterator variable", `process.ancestors[A].file.name == "nginx" && process.ancestors[A].uid == 33 && open.retval == 3`, true, ""},
	{"iterator variable ties", `process.ancestors[A].file.name == "nginx" && process.ancestors[A].uid == 0 && open.retval == 3`, false, ""},
	{"iterator free", `process.ancestors.file.name == "nginx" && process.ancestors.uid == 0 && open.retval == 3`, true, ""},
	{"iterator index", `process.ancestors.argv[0] == "nginx:" && open.retval == 3`, true, ""},
	{"iterator of bool", `process.ancestors.is_thread && open.retval == 3`, true, ""},
	{"iterator length", `process.ancestors.length == 2 && open.retval == 3`, true, ""},
	{"_ is refused", `process.ancestors[_].uid == 0`, false, "can't be the name"},
	{"one iterator variable", `process.ancestors[A].uid == 0 && process.ancestors[B].uid == 33`, false, "only one"},
	{"variable on no iterator", `process.parent[A].uid == 0`, false, "not a list"},
	{"ages", `process.created_at < 5s && open.retval == 3`, true, ""},
	{"ages of ancestors", `process.ancestors.created_at > 1m && open.retval == 3`, true, ""},
	{"difference with duration", `process.created_at - process.parent.created_at > 30s && open.retval == 3`, true, ""},
	{"!= duration", `process.created_at != 5s`, false, "not supported with a duration"},
	{"duration on the left", `5s > process.created_at`, false, "on the right"},
	{"glob element", `open.file.path == ~"/etc/*"`, true, ""},
	{"glob stays in the element", `open.file.path == ~"/*"`, false, ""},
	{"glob **", `open.file.path == ~"/**"`, true, ""},
	{"glob ** inside", `open.file.path == ~"/**/shadow"`, false, "whole last element"},
	{"** on no path", `open.file.name == ~"a**"`, false, "only in patterns of file paths"},
	{"glob */", `open.file.path == ~"*/shadow"`, true, ""},
	{"${process.pid}", `${process.pid} == 100 && open.retval == 3`, true, ""},
	{"variable in string", `open.file.path == "/proc/${process.pid}/maps"`, false, ""},
	{"field in string", `open.file.path == "/etc/%{open.file.name}"`, true, ""},
	{"array in string", `"%{process.argv}" == "sh,-x" && open.retval == 3`, true, ""},
	{"reference as array", `"-x" in %{process.argv} && open.retval == 3`, true, ""},
	{"reference length", `%{process.argv.length} == 2 && open.retval == 3`, true, ""},
	{"reference to unknown", `"%{open.nothing}" == ""`, false, "unknown field"},
	{"unknown variable", `${nobody} == 1`, false, "no set action"},
	{"old name", `open.filename == "/etc/shadow" && open.basename.length == 6`, true, ""},
	{"missing field", `open.file.package.name == ""`, true, ""},
	{"comment", "open.retval == 3 # three\n && event.async // yes", true, ""},
	{"nothing unescaped", `open.file.name == "a\"b"`, false, ""},
	{"unknown field", `open.file.nam == "x"`, false, `did you mean "open.file.name"`},
	{"unknown name", `nothing == 1`, false, "no constant, macro or field"},
	{"no event", `process.uid == 0`, false, "no event type"},
	{"two events", `open.retval == 3 && exec.uid == 0`, false, "one event type"},
	{"event of eBPF", `bpf.cmd == 1`, false, "can't be seen in eBPF-less mode"},
	{"types differ", `open.retval == "3"`, false, "can't compare"},
	{"order of strings", `open.file.name < "x"`, false, "doesn't order"},
	{"no truth value", `open.retval + 1`, false, "true or false"},
	{"join of numbers", `open.retval && event.async`, false, "true or false"},
	{"bits of strings", `open.file.name & 1 == 0`, false, "takes single numbers"},
	{"empty list", `open.retval in []`, false, "expected"},
	{"mixed list", `open.retval in [1, "a"]`, false, "mix"},
	{"hexadecimal", `open.flags & 0x40 > 0`, false, "decimal"},
	{"bad regexp", `open.file.name =~ r"("`, false, "missing closing"},
	{"in with address", `connect.addr.ip in 10.0.0.1`, false, "=="},
	{"not closed", `open.file.name == "x`, false, "not closed"},
}

func conformanceEvent() *testEvent {
	const second = int64(1e9)
	now := 1000 * second
	nginx := &testProcess{
		PID: 2, UID: 33, Thread: true, Argv: []string{"nginx:", "worker"}, File: testFile{Name: "nginx", Path: "/usr/sbin/nginx"},
	}
	shell := &testProcess{PID: 3, CreatedAt: now - 60*second, Parent: nginx, File: testFile{Name: "sh", Path: "/bin/sh"}}
	return &testEvent{
		Now: now, Retval: 3, Flags: 0o101, Async: true, File: testFile{Path: "/etc/shadow", Name: "shadow"},
		Process: &testProcess{PID: 100, UID: 1000, CreatedAt: now - second, Argv: []string{"sh", "-x"}, Parent: shell},
		IP:      netip.MustParseAddr("::ffff:10.1.2.3"), Port: 443, Immediates: []int64{7, 8},
		IPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("192.0.2.1/32")},
	}
}

func TestConformance(t *testing.T) {
	m, e := newTestModel(), conformanceEvent()
	for _, row := range conformance {
		t.Run(row.feature, func(t *testing.T) {
			p, err := Compile(m, row.expression, nil)
			switch {
			case row.refused != "" && err == nil:
				t.Fatalf("%s is accepted", row.expression)
			case row.refused != "" && !strings.Contains(err.Error(), row.refused):
				t.Fatalf("%s: %v, which doesn't say %q", row.expression, err, row.refused)
			case row.refused != "":
			case err != nil:
				t.Fatalf("%s: %v\n%s", row.expression, err, err.(*Error).Caret())
			case p.Eval(e) != row.want:
				t.Fatalf("%s is %v", row.expression, !row.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	m, e := newTestModel(), conformanceEvent()
	for expression, want := range map[string]bool{
		`connect.addr.ip in ::ffff:10.0.0.0/104`:                        true,
		`connect.addr.ip == 10.1.2.3`:                                   true,
		`connect.addr.ip != 10.1.2.3`:                                   false,
		`connect.addr.ip in 10.0.0.0/8`:                                 true,
		`connect.addr.ip in [::1, 10.0.0.0/8]`:                          true,
		`connect.addr.ip not in [192.0.2.0/24, fe80::/10]`:              true,
		`connect.addr.ip == 10.0.0.0/8 && connect.addr.port == 443`:     true,
		`connect.addr.ips in 10.0.0.0/8`:                                true,
		`connect.addr.ips allin 10.0.0.0/8`:                             false,
		`connect.addr.ips allin [10.0.0.0/8, 192.0.2.0/24]`:             true,
		`10.0.0.1 in connect.addr.ips`:                                  true,
		`"%{connect.addr.ip}" == "10.1.2.3" && connect.addr.ip in ::/0`: false,
		`"%{connect.addr.ip}" == "10.1.2.3" && connect.addr.port > 0`:   true,
	} {
		p, err := Compile(m, expression, nil)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if p.Eval(e) != want {
			t.Errorf("%s is %v", expression, !want)
		}
	}
	p, err := Compile(m, `8 == setsockopt.used_immediates && 9 > setsockopt.used_immediates`, nil)
	if err != nil || !p.Eval(e) {
		t.Errorf("an int array on the right: %v", err)
	}
}
