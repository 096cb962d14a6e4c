package systemd

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ofVersion208 lists units as systemctl did then: it refuses patterns.
const ofVersion208 = `#!/bin/sh
for word; do
	case $word in list-units | --*=* | --no-legend | --no-pager | --plain | --full) ;; *) echo "Too many arguments." >&2; exit 1 ;; esac
done
echo "cws-attach@db.service   loaded active     running Runtime threat detection for db (attached)"
echo "cws-wrap@nginx.service  loaded active     exited  Runtime threat detection for nginx (wrapped)"
echo "cws-wrap@own.service    loaded activating start   own behind a tracer"
echo "nginx.service           loaded active     running A web server"
`

func TestActiveOfVersion208(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "systemctl"), []byte(ofVersion208), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	for prefix, want := range map[string][]string{wrapPrefix: {"nginx", "own"}, attachPrefix: {"db"}} {
		got, err := System{}.active(context.Background(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", prefix, diff)
		}
	}
}
