package tests

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
	"github.com/ebpfless/ebpfless/src/probe"
	"github.com/ebpfless/ebpfless/src/secl"
)

var update = flag.Bool("update", false, "write conformance.md anew")

const conformanceFile = "conformance.md"

// subjects are what operators are tried on: a field of each type, alone, in an array and along an iterator.
var subjects = []struct{ title, field, literal, list string }{
	{"int", "open.retval", "1", "[1, 2]"},
	{"string", "open.file.name", `"a"`, `["a", "b"]`},
	{"path", "open.file.path", `"/a"`, `["/a", "/b"]`},
	{"bool", "connect.addr.is_public", "true", "[true]"},
	{"IP", "connect.addr.ip", "10.0.0.1", "[10.0.0.0/8, ::1]"},
	{"ints", "setsockopt.used_immediates", "1", "[1, 2]"},
	{"strings", "process.argv", `"a"`, `["a", "b"]`},
	{"iterated int", "process.ancestors.uid", "1", "[1, 2]"},
	{"iterated string", "process.ancestors.comm", `"a"`, `["a", "b"]`},
	{"iterated path", "process.ancestors.file.path", `"/a"`, `["/a", "/b"]`},
	{"iterated bool", "process.ancestors.is_exec", "true", "[true]"},
}

// operators are written with F for the field, V for a value and L for a list of its type.
var operators = []string{
	"F == V", "V == F", "F != V", "V != F", "F < V", "F <= V", "F > V", "F >= V", "V < F",
	"F =~ V", "F !~ V", `F =~ ~"a*"`, `F == ~"a*"`, `F != ~"a*"`, `~"a*" == F`, `F == r"a+"`, `F !~ r"a+"`,
	`F == ~"/a/**"`, `F == ~"/**/a"`,
	"F in L", "F not in L", "F allin L", "V in F", "V not in F", `F in [~"a*", r"b"]`, "F in 10.0.0.0/8", "F in 10.0.0.1",
	"F == F", "F in F", "F & 1 > 0", "F | 1 > 0", "F ^ 1 > 0", "F + 1 > 0", "F - 1 > 0", "^F > 0", "- F > 0",
	"F", "!F", "not F", "F && true", "F || false", "F[0] == V", "F < 5s", "F - 1 < 5s", "F != 5s", "F > 5s",
	`"%{F}" == "a"`, "%{F} == V", "%{F.length} > 0", "F.length > 0", "${process.pid} == F",
}

func TestConformanceTable(t *testing.T) {
	model := probe.NewModel()
	var doc bytes.Buffer
	doc.WriteString("# What of the rule language works\n\nMade by `go test ./tests -run TestConformanceTable -update` from what the compiler says; the test fails when they differ.\n")
	operatorTable(t, &doc, model)
	fieldTable(t, &doc, model)
	if *update {
		if err := os.WriteFile(conformanceFile, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(conformanceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc.Bytes(), want) {
		got, wanted := strings.Split(doc.String(), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(got), len(wanted)) {
			if got[i] != wanted[i] {
				t.Fatalf("%s, line %d: the language has %q, the table %q; accept it with -update", conformanceFile, i+1, got[i], wanted[i])
			}
		}
		t.Fatalf("%s has %d lines, the language makes %d; accept it with -update", conformanceFile, len(wanted), len(got))
	}
}

// operatorTable has a row for each operator and a column for each type. What loads is asked about an event as well.
func operatorTable(t *testing.T, doc *bytes.Buffer, model *secl.Model[probe.Context]) {
	doc.WriteString("\n## Operators\n\nF is a field, V a value and L a list of its type. A number says why it is refused.\n\n|  |")
	for _, s := range subjects {
		fmt.Fprintf(doc, " %s |", s.title)
	}
	doc.WriteString("\n|---|" + strings.Repeat("---|", len(subjects)) + "\n")
	var reasons []string
	for _, operator := range operators {
		fmt.Fprintf(doc, "| `%s` |", strings.ReplaceAll(operator, "|", `\|`))
		works := 0
		for _, s := range subjects {
			expression := strings.NewReplacer("F", s.field, "V", s.literal, "L", s.list).Replace(operator)
			program, err := secl.Compile(model, expression, &secl.Env{AnyEvent: true})
			if err == nil {
				program.Eval(anyContext())
				works++
				doc.WriteString(" works |")
				continue
			}
			fmt.Fprintf(doc, " %d |", numbered(&reasons, reason(err, s.field)))
		}
		doc.WriteString("\n")
		if works == 0 && operator != `F == ~"/**/a"` && operator != "F != 5s" && operator != "F in 10.0.0.1" {
			t.Errorf("%s works on nothing", operator)
		}
	}
	doc.WriteString("\n")
	for i, r := range reasons {
		fmt.Fprintf(doc, "%d. %s\n", i+1, r)
	}
}

// reason is what the compiler says, without the field and the operator that happen to be tried.
func reason(err error, field string) string {
	message := strings.ReplaceAll(err.(*secl.Error).Message, field, "F")
	first, rest, _ := strings.Cut(message, " ")
	if strings.Trim(first, "=!<>~&|^+-") == "" {
		return "the operator " + rest
	}
	return message
}

func numbered(list *[]string, text string) int {
	for i, known := range *list {
		if known == text {
			return i + 1
		}
	}
	*list = append(*list, text)
	return len(*list)
}

// kinds are told apart by the one value that a field can be compared with.
var kinds = []struct{ name, literal string }{
	{"int", "7"}, {"string", `"a"`}, {"bool", "true"}, {"IP", "10.0.0.1"},
}

// fieldTable has a row for each field of the model. Each is put into a rule, which is asked about an event and about one
// that has next to nothing.
func fieldTable(t *testing.T, doc *bytes.Buffer, model *secl.Model[probe.Context]) {
	doc.WriteString("\n## Fields\n\n| field | type | |\n|---|---|---|\n")
	for _, name := range model.FieldNames() {
		var types []string
		status := "works"
		for _, kind := range kinds {
			program, err := secl.Compile(model, name+" == "+kind.literal, &secl.Env{AnyEvent: true})
			if err != nil {
				continue
			}
			typ := kind.name
			if _, err := secl.Compile(model, kind.literal+" in "+name, &secl.Env{AnyEvent: true}); err == nil {
				typ = "array of " + typ
			}
			types = append(types, typ)
			if len(program.Warnings) > 0 {
				_, why, _ := strings.Cut(program.Warnings[0], ": ")
				status = "always empty: " + why
			}
			if n := testing.AllocsPerRun(1, func() { program.Eval(anyContextOf) }); n > 0 {
				t.Errorf("%s: %v allocations", name, n)
			}
			program.Eval(&probe.Context{Event: &event.Event{}, Process: &probe.Process{Program: &probe.Program{}}})
		}
		if len(types) != 1 {
			t.Errorf("%s compares with %q, want exactly one type", name, types)
		}
		fmt.Fprintf(doc, "| `%s` | %s | %s |\n", name, strings.Join(types, ", "), status)
	}
}

var anyContextOf = anyContext()

func anyContext() *probe.Context {
	parent := &probe.Process{PID: 1, Program: &probe.Program{Comm: "a", Args: []string{"a"}, File: event.File{Path: "/a"}}}
	return &probe.Context{
		Event:   &event.Event{Kind: event.Open, Retval: 1, File: event.File{Path: "/a"}, Sock: event.Sock{IP: netip.MustParseAddr("10.0.0.1")}},
		Process: &probe.Process{PID: 2, Parent: parent, Program: parent.Program}, Target: parent,
	}
}
