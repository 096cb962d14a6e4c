package secl

import (
	"slices"
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	for expression, want := range map[string]string{
		`open.retval == 1 && open.retval == 2 || open.retval == 3`:      "read as open.retval == 1 && (open.retval == 2 || open.retval == 3)",
		`open.retval == 1 && (open.retval == 2 || open.retval == 3)`:    "",
		`open.file.package.name == "bash"`:                              "no package database is read",
		`open.file.path =~ r"^/etc"`:                                    "no regexps on paths",
		`process.interpreter.file.path == ~"/usr/**" && open.flags > 0`: "scripts are not followed",
	} {
		p, err := Compile(newTestModel(), expression, nil)
		switch {
		case err != nil:
			t.Errorf("%s: %v", expression, err)
		case want == "" && len(p.Warnings) > 0, want != "" && (len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], want)):
			t.Errorf("%s: warnings %q", expression, p.Warnings)
		}
	}
}

func TestProgramKnowsItsFields(t *testing.T) {
	p, err := Compile(newTestModel(), `open.filename == "/a" || process.uid in [0] || open.file.path == "/b"`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Event != "open" || !slices.Equal(p.Fields, []string{"open.file.path", "process.uid"}) {
		t.Errorf("event %q, fields %q", p.Event, p.Fields)
	}
}

func TestHostileExpressionsAreRefused(t *testing.T) {
	double := map[string]*Macro{}
	body := "open.retval == 1"
	for _, name := range strings.Split("abcdefghijklmnopqrstuv", "") {
		n, err := ParseMacro(body)
		if err != nil {
			t.Fatal(err)
		}
		double[name] = &Macro{name, body, n}
		body = name + " || " + name
	}
	for name, expression := range map[string]string{
		"macros that double": "v",
		"long regexp":        `open.file.name =~ r"` + strings.Repeat("a", maxRegexp+1) + `"`,
		"huge index":         `process.argv[99999999999999999999] == "x"`,
	} {
		if _, err := Compile(newTestModel(), expression, &Env{Macros: double}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestCyclicAncestorsEnd(t *testing.T) {
	p, err := Compile(newTestModel(), `process.ancestors.comm == "x" && open.retval == 0 || process.ancestors[A].uid == 1`, nil)
	if err != nil {
		t.Fatal(err)
	}
	loop := &testProcess{}
	loop.Parent = loop
	if p.Eval(&testEvent{Process: loop}) {
		t.Error("hit")
	}
}

func TestConstants(t *testing.T) {
	for name, want := range map[string]int64{
		"EACCES": -13, "EAGAIN": -11, "CAP_SYS_ADMIN": 1 << 21, "CAP_CHECKPOINT_RESTORE": 1 << 40, "SIGKILL": 9,
		"S_ISUID": 0o4000, "AT_REMOVEDIR": 0x200, "SIGNALED": 2, "AF_INET6": 10, "AF_FILE": 1, "ETH_P_IPV6": 0x86dd,
		"IP_PROTO_TCP": 6, "IP_PROTO_IGP": 9, "SOCK_DCCP": 6, "SO_ATTACH_FILTER": 26, "TCP_NODELAY": 1,
		"RLIMIT_NOFILE": 7, "PR_SET_NAME": 15, "PR_CAP_AMBIENT": 47, "PROT_EXEC": 4, "VM_EXEC": 4, "PTRACE_ATTACH": 16,
		"O_CREAT": 0o100, "SIGPOLL": 29, "ENOTSUP": -95, "BPF_PROG_LOAD": 5, "MCAST_JOIN_GROUP": 42,
	} {
		if c, found := constantNamed(name); !found || c.value != want {
			t.Errorf("%s is %d, found %v", name, c.value, found)
		}
	}
	categories := make(map[string]int64)
	for _, table := range constantTables {
		for name, v := range table {
			if first, twice := categories[name]; twice && first != v {
				t.Errorf("%s is %d in one category and %d in another", name, first, v)
			}
			categories[name] = v
		}
	}
}
