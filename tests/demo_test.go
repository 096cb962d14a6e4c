package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// The demonstration is what a newcomer sees first: `make run`.
func TestDemonstration(t *testing.T) {
	if os.Geteuid() != 0 {
		skip(t, "needs root, to have an /etc of its own")
	}
	for _, name := range []string{"perl", "unshare", "setpriv"} {
		if _, err := exec.LookPath(name); err != nil {
			skip(t, err.Error())
		}
	}
	program(t, "system-probe")
	bin := filepath.Dir(program(t, "cws-instrumentation"))
	output, err := exec.Command("demo/run", bin).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	rules := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^ +\d+ ([a-z_]+)$`).FindAllStringSubmatch(string(output), -1) {
		rules[m[1]] = true
	}
	for name, expected := range map[string]bool{
		"exec_from_temporary_folder": true, "exec_of_anonymous_file": true, "shell_from_server": true, "password_hashes_read": true,
		"accounts_changed": true, "ssh_keys_changed": true, "scheduled_task_changed": true, "preload_changed": true,
		"set_id_bit": true, "history_removed": true, "log_removed": true, "became_root": true, "memory_of_another_process": true,
		"kernel_module_loaded": modules(), // without them the call fails before anybody is asked for permission
	} {
		if !rules[name] && expected {
			t.Errorf("%s was not detected", name)
		}
	}
	if left, _ := filepath.Glob("/tmp/ebpfless-demo.*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if t.Failed() {
		t.Logf("%s", output)
	}
}

// modules tells whether the kernel can load any.
func modules() bool {
	_, err := os.Stat("/proc/modules")
	return err == nil
}
