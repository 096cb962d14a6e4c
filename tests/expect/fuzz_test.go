package expect

import (
	"strings"
	"testing"

	"github.com/ebpfless/ebpfless/src/event"
)

// FuzzParse checks that what was parsed can be compared, and that a line means the same when it is read alone.
func FuzzParse(f *testing.F) {
	f.Add("expect open pid=1 path=/a flags=0\nskip why\n")
	f.Add("count exec n=3 pid=1 arg=\"\\xff\\n\" arg=b truncated=1")
	f.Add("expect connect pid=1 ip=::1 port=80")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		for _, l := range r.Lines {
			alone, err := Parse(l.Text)
			if err != nil || len(alone.Lines) != 1 || alone.Lines[0].Kind != l.Kind {
				t.Errorf("%q alone: %v, %v", l.Text, alone, err)
			}
			e := event.Event{Kind: l.Kind, PID: l.PID}
			if strings.TrimSpace(Describe(&e)) == "" {
				t.Errorf("nothing to say of %q", l.Text)
			}
			Compare(alone, []event.Event{e}, event.Everything)
		}
	})
}
