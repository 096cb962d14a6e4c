package tests

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/ebpfless/ebpfless/tests/stage"
	"golang.org/x/sys/unix"
)

// What the default rules ask for decides what every wrapped application pays. A rule that needs opens of folders, or each
// request of a server, must not slip in unnoticed.
func TestDefaultRulesLetPassWhatIsFrequent(t *testing.T) {
	rules, err := stage.Load(filepath.Join("..", stage.Policy))
	if err != nil {
		t.Fatal(err)
	}
	if having, unless := rules.SparedOpens(); having&unix.O_DIRECTORY == 0 || unless&unix.O_DIRECTORY != 0 {
		t.Errorf("folders that are listed stop: spared are opens with %#x but for those with %#x", having, unless)
	}
	for _, frequent := range []string{"accept", "setsockopt", "socket", "chdir"} {
		if slices.Contains(rules.EventTypes(), frequent) {
			t.Errorf("a default rule asks for %s", frequent)
		}
	}
}
