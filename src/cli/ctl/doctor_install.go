package ctl

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/ebpfless/ebpfless/src/selinux"
	"github.com/ebpfless/ebpfless/src/service/systemd"
)

// selinuxPolicy looks for our module where the policy is enforced.
func selinuxPolicy() verdict {
	if _, err := os.Stat("/sys/fs/selinux/enforce"); err != nil {
		return ok("not in force")
	}
	if !selinux.Host.Enforced() {
		return ok("permissive: what would be denied is logged only")
	}
	for _, pattern := range []string{"/var/lib/selinux/*/active/modules/*/cws", "/etc/selinux/*/active/modules/*/cws", "/etc/selinux/*/modules/active/modules/cws.pp"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return ok("enforcing, with the module cws%s", exempt())
		}
	}
	if selinux.Host.PtraceDenied() {
		return problem("install the package cws-selinux, or setsebool -P deny_ptrace off",
			"enforcing, and the boolean deny_ptrace is on: applications run untraced")
	}
	return warning("install the package cws-selinux if services don't start wrapped", "enforcing, without the module cws")
}

// exempt tells of tracers in the module's domain where the boolean deny_ptrace is on.
func exempt() string {
	if !selinux.Host.PtraceDenied() {
		return ""
	}
	return ", whose tracers trace although the boolean deny_ptrace is on (see cws_selinux(8))"
}

// versions compares what is installed with this program. A tracer of Datadog's is another matter.
func versions() verdict {
	if _, err := os.Stat(systemd.DefaultTracer); err != nil {
		return problem("install the package cws-instrumentation", "no tracer: %v", err)
	}
	if systemd.Original(systemd.DefaultTracer) {
		return ok("the tracer at %s is Datadog's", systemd.DefaultTracer)
	}
	folder := filepath.Dir(systemd.DefaultTracer)
	var others []string
	for _, name := range []string{"cws-instrumentation", "system-probe"} {
		switch found, err := versionOf(filepath.Join(folder, name)); {
		case os.IsNotExist(err) && name == "system-probe": // a probe elsewhere
		case err != nil:
			return problem("install it again", "%s does not tell its version: %v", name, err)
		case found != Version:
			others = append(others, name+" "+found)
		}
	}
	if len(others) > 0 {
		return warning("upgrade the packages together", "cwsctl is %s, but %s", Version, strings.Join(others, " and "))
	}
	return ok("tracer, probe and cwsctl are %s", Version)
}

func versionOf(program string) (string, error) {
	if _, err := os.Stat(program); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return "", err
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return "", fmt.Errorf("it says nothing")
	}
	return words[len(words)-1], nil
}

// initSystem tells which one there is, and whether it can work with us.
func initSystem() verdict {
	found, err := system()
	if err != nil {
		return warning("wrap by hand: cws-instrumentation trace -- COMMAND", "%v", err)
	}
	if found.Name() != "systemd" {
		return ok("%s", found.Name())
	}
	version, err := systemd.Version()
	if err != nil {
		return problem("see systemctl --version", "%v", err)
	}
	if version < 208 {
		return warning("attach instead of wrapping", "systemd %d is older than 208, the oldest that is known to work", version)
	}
	for _, folder := range []string{"/etc/systemd/system-generators", "/usr/local/lib/systemd/system-generators", "/usr/lib/systemd/system-generators", "/lib/systemd/system-generators"} {
		if _, err := os.Stat(filepath.Join(folder, generatorName)); err == nil {
			return ok("systemd %d, with %s", version, generatorName)
		}
	}
	return problem("install the package cws-services", "systemd %d has no %s: nothing can be wrapped", version, generatorName)
}

// watched tells of services that are not as they should be.
func watched(ctx context.Context) verdict {
	list, err := watchedRows(ctx)
	if err != nil {
		return warning("run cwsctl as root", "not looked at: %v", err)
	}
	var notes []string
	for _, r := range list {
		if r.Note != "" {
			notes = append(notes, r.Service+": "+r.Note)
		} else if r.Dropped > 0 {
			notes = append(notes, fmt.Sprintf("%s: %d events dropped", r.Service, r.Dropped))
		}
	}
	if len(notes) > 0 {
		return warning("see cwsctl list", "%s", strings.Join(notes, "; "))
	}
	return ok("%d wrapped or attached", len(list))
}
