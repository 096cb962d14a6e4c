package ctl

import (
	"os/exec"
	"testing"
)

// TestGeneratorWithoutPath: systemd before 240, when the kernel itself has started it, runs generators without PATH.
func TestGeneratorWithoutPath(t *testing.T) {
	t.Setenv("PATH", "")
	folder := t.TempDir()
	if code := generate([]string{generatorName, folder, folder, folder}); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := exec.LookPath("cat"); err != nil {
		t.Error(err)
	}
}
