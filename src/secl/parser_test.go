package secl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"net/netip"
)

// sameTree compares trees without places.
func sameTree(a, b Node) string {
	return cmp.Diff(a, b, cmpopts.IgnoreTypes(Span{}), cmpopts.IgnoreFields(Binary{}, "Grouped"),
		cmpopts.EquateComparable(netip.Prefix{}))
}

func TestGrouping(t *testing.T) {
	for source, want := range map[string]string{
		`a and b or c`:                  `a && (b || c)`,
		`a or b and c`:                  `a || (b && c)`,
		`(a and b) or c`:                `(a && b) || c`,
		`! a == b`:                      `(!a) == b`,
		`a & b > 0`:                     `(a & b) > 0`,
		`a - b - c`:                     `(a - b) - c`,
		`a & b & c`:                     `a & (b & c)`,
		`a == b == c`:                   `a == (b == c)`,
		`a + b & c`:                     `a + (b & c)`,
		`not a and b`:                   `(!a) && b`,
		`a in [b]`:                      `a in [ b ]`,
		`a[X].b not in ["x" , ~"y"]`:    `a[X].b not in [ "x", ~"y" ]`,
		`process.ancestors[A].x in [B]`: `process.ancestors[A].x in [ B ]`,
	} {
		a, err := Parse(source)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		b, err := Parse(want)
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if diff := sameTree(a, b); diff != "" {
			t.Errorf("%s is not %s:\n%s", source, want, diff)
		}
	}
}

func TestErrorShowsThePlace(t *testing.T) {
	_, err := Compile(newTestModel(), "open.retval == 3 &&\n\topen.file.pth == \"x\"", nil)
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("error %v", err)
	}
	if e.Line() != 2 || e.Column() != 2 {
		t.Errorf("line %d, column %d", e.Line(), e.Column())
	}
	if want := "\topen.file.pth == \"x\"\n\t^^^^^^^^^^^^^"; e.Caret() != want {
		t.Errorf("caret\n%s", e.Caret())
	}
}

func TestBounds(t *testing.T) {
	for name, source := range map[string]string{
		"parentheses": strings.Repeat("(", maxDepth+1) + "a" + strings.Repeat(")", maxDepth+1),
		"negations":   strings.Repeat("!", maxDepth+1) + "a",
		"comparisons": strings.Repeat("a == ", maxDepth+1) + "a",
		"list":        "a in [1" + strings.Repeat(",1", maxList) + "]",
		"length":      strings.Repeat(" ", maxExpression) + "a",
	} {
		if _, err := Parse(source); err == nil {
			t.Errorf("%s without bound", name)
		}
	}
	if _, err := Parse("a" + strings.Repeat(" || a", 10_000)); err != nil {
		t.Errorf("a long chain is refused: %v", err)
	}
}

// FuzzParse holds the parser to two promises: it never panics, and what Print gives means the same.
func FuzzParse(f *testing.F) {
	for _, row := range conformance {
		f.Add(row.expression)
	}
	f.Fuzz(func(t *testing.T, source string) {
		n, err := ParseMacro(source)
		if err != nil {
			e := err.(*Error)
			_, _, _ = e.Line(), e.Column(), e.Caret()
			return
		}
		printed := Print(n)
		again, err := ParseMacro(printed)
		if err != nil && strings.Contains(err.Error(), "more than") {
			t.Skip("parentheses that Print adds pass a bound")
		}
		if err != nil {
			t.Fatalf("%q prints as %q: %v", source, printed, err)
		}
		if diff := sameTree(n, again); diff != "" {
			t.Fatalf("%q prints as %q:\n%s", source, printed, diff)
		}
	})
}
