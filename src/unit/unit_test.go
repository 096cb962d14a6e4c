package unit

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	file := Parse("Lost=1\n[Unit]\nAfter=a.service\n; comment\nAfter=\n After = b c \n[Service]\nExecStart=/bin/x \\\n# inside\n\\\n  y\\\\\nKey=a\\\n")
	want := File{
		{"Unit", "After", "a.service"}, {"Unit", "After", ""}, {"Unit", "After", "b c"},
		{"Service", "ExecStart", `/bin/x   y\\`}, {"Service", "Key", "a"},
	}
	if diff := cmp.Diff(want, file); diff != "" {
		t.Error(diff)
	}
	if got := file.All("Unit", "After"); len(got) != 1 || got[0] != "b c" {
		t.Errorf("After= is %q: an empty line starts anew", got)
	}
}

func TestWordsAndUnquote(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string
	}{
		{`a  b	c`, []string{"a", "b", "c"}},
		{`"two words" 'it''s' x"y z"`, []string{"two words", "its", "xy z"}},
		{`\x41\102\u00e9 a\sb "\""`, []string{"ABé", "a b", `"`}},
		{`"" ''`, []string{"", ""}},
	} {
		words, err := Words(c.value)
		if err != nil {
			t.Errorf("%s: %v", c.value, err)
			continue
		}
		var got []string
		for _, word := range words {
			plain, err := Unquote(word)
			if err != nil {
				t.Errorf("%s: %v", c.value, err)
			}
			got = append(got, plain)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.value, diff)
		}
	}
	for _, bad := range []string{`"open`, `it's`} {
		if words, err := Words(bad); err == nil {
			t.Errorf("%s: read as %q", bad, words)
		}
	}
	for _, bad := range []string{`\q`, `\x4`, `a\`, `\x00`, `\uzzzz`} {
		if got, err := Unquote(bad); err == nil {
			t.Errorf("%s: means %q", bad, got)
		}
	}
}

func TestCommandsThatAreNone(t *testing.T) {
	for _, bad := range []string{"-", `""`, "@/bin/x", `/bin/x "`, "; -"} {
		if got, err := Commands(bad); err == nil {
			t.Errorf("%q: read as %v", bad, got)
		}
	}
}

// FuzzCommands: what is put behind a tracer is the same command, word for word, and again one that can be read.
func FuzzCommands(f *testing.F) {
	for _, seed := range []string{"/bin/x a 'b c'", `@-/bin/x "y z" \x41`, "/bin/a ; /bin/b", `"-/with space" $x ${y}`, `:/bin/$x "`, `/bin/x \;`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\n\x00") {
			return
		}
		commands, err := Commands(value)
		if err != nil {
			return
		}
		for _, command := range commands {
			line := command.Behind("/tracer", "trace")
			again, err := Commands(line)
			if err != nil || len(again) != 1 {
				t.Fatalf("%q becomes %q, which reads as %v, %v", value, line, again, err)
			}
			words := again[0].Arguments
			skip := 2 // trace --
			if command.Argv0 != "" {
				skip += 2
				if words[2] != command.Argv0 {
					t.Fatalf("%q becomes %q: another argument 0", value, line)
				}
			}
			path, err := Unquote(words[skip-1+1])
			if err != nil {
				t.Fatalf("%q becomes %q: %v", value, line, err)
			}
			if !strings.Contains(command.Prefix, ":") {
				path = strings.ReplaceAll(path, "$$", "$")
			}
			if want := strings.ReplaceAll(command.Path, "$$", "$"); path != want && path != command.Path {
				t.Fatalf("%q becomes %q: path %q", value, line, path)
			}
			if got := words[skip+1:]; strings.Join(got, "\n") != strings.Join(command.Arguments, "\n") || again[0].Prefix != command.Prefix {
				t.Fatalf("%q becomes %q: arguments %q, want %q", value, line, got, command.Arguments)
			}
		}
	})
}

func FuzzQuote(f *testing.F) {
	f.Add(`a "b" \c 'd'`)
	f.Fuzz(func(t *testing.T, word string) {
		if strings.Contains(word, "\x00") {
			return
		}
		got, err := Unquote(Quote(word))
		if err != nil || got != word {
			t.Errorf("%q comes back from %s as %q, %v", word, Quote(word), got, err)
		}
	})
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"nginx", "postgresql@15-main", `a\x2db`, "dbus-org.freedesktop.x", "a_b:c"} {
		if err := CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", ".", "..", "a..b", "/", "a/b", "-a", ".a", "a b", "a;b", "$a", "`a`", "a\n", "a\x00", `a\b`, `a\x2D`, "é", "a*", "a@", strings.Repeat("a", 248)} {
		if CheckName(bad) == nil {
			t.Errorf("%q passes as a name", bad)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]int64{
		"65536": 65536, "16M": 16 << 20, "1G 500M": 1<<30 + 500<<20, "1.5K": 1536, "0": 0, "infinity": math.MaxInt64,
		"99999999E": math.MaxInt64,
	} {
		if got, err := Size(text); err != nil || got != want {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "10%", "M", "16MB", "-1", "16 m"} {
		if got, err := Size(bad); err == nil {
			t.Errorf("%q: %d", bad, got)
		}
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "1min 30s": 90 * time.Second, "1.5h": 90 * time.Minute, "500ms": 500 * time.Millisecond,
		"infinity": 0, "2 min": 2 * time.Minute, "1d": 24 * time.Hour,
	} {
		if got, err := Duration(text); err != nil || got != want {
			t.Errorf("%s is %v, %v, want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "x", "1 parsec", "-1", "1.2.3"} {
		if got, err := Duration(bad); err == nil {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

func TestHeader(t *testing.T) {
	h := ParseHeader(`#!/bin/sh
# chkconfig: - 85 15
### BEGIN INIT INFO
# Provides:	 x y
# Required-Start: $local_fs
# Default-Start:
# Short-Description: does x
# Description: does
#	much
### END INIT INFO
# Provides: not this
`)
	if got := h.Words("Provides"); len(got) != 2 || h.Chkconfig != "- 85 15" || h.Get("Description") != "does much" {
		t.Errorf("%v %q %q", got, h.Chkconfig, h.Get("Description"))
	}
	again := ParseHeader(h.String())
	if diff := cmp.Diff(h.String(), again.String()); diff != "" {
		t.Error(diff)
	}
}

func TestParseJob(t *testing.T) {
	for text, want := range map[string]Job{
		"exec /bin/x \\\n  a b\nexpect fork\n":                              {Exec: "/bin/x a b", Expect: "fork"},
		"exec old\nscript\n  a\n  b\nend script\n":                          {Script: "  a\n  b"},
		"script\na\nend script\nexec new":                                   {Exec: "new"},
		"pre-start script\n exec no\nend script\nexec yes\nexecutable no\n": {Exec: "yes"},
		"script\nnever ended":                                               {Script: "never ended"},
		"# exec no\npost-stop exec no\n":                                    {},
		"exec\t/bin/x  'a  b'\nexpect\tdaemon # twice\ninstance $N\n":       {Exec: "/bin/x  'a  b'", Expect: "daemon", Instances: true},
		"chroot /srv\napparmor load /x\napparmor switch y\nexec z":          {Exec: "z", Chroot: "/srv", AppArmor: "y"},
	} {
		if diff := cmp.Diff(want, ParseJob(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
