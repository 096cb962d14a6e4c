package ctl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/ebpfless/ebpfless/src/config"
	"github.com/ebpfless/ebpfless/src/service/follow"
	"github.com/ebpfless/ebpfless/src/service/settings"
	"github.com/ebpfless/ebpfless/src/service/systemd"
	"github.com/ebpfless/ebpfless/src/service/upstart"
	"github.com/spf13/cobra"
)

// generatorName is the name under which systemd runs this program as one of its generators.
const generatorName = "cws-generator"

// host is this machine, as far as systemd goes.
func host() (systemd.Host, error) {
	version, err := systemd.Version()
	return systemd.Host{
		Root: "/", Version: version, Tracer: systemd.DefaultTracer, Original: systemd.Original(systemd.DefaultTracer), ProbeAddr: probeAddr(),
	}, err
}

// probeAddr is where the probe listens by its configuration; empty for where tracers look anyhow, and where there is none.
func probeAddr() string {
	c, _, err := config.Load(config.DefaultPath, nil)
	if err != nil {
		return ""
	}
	return dialled(c.Socket)
}

// dialled is where tracers find a probe that listens at address; empty for where they look anyhow.
func dialled(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	if host == "" || host == "0.0.0.0" || host == "localhost" {
		host = "127.0.0.1"
	}
	if host == "127.0.0.1" && port == "5678" {
		return ""
	}
	return net.JoinHostPort(host, port)
}

// generate is the whole program when systemd runs it as a generator: the first of its three folders is for what comes after
// the administrator's files and before the vendor's. It says what it can't do to the kernel's log, the only one there is
// yet, and never fails: the boot goes on with plain services.
func generate(args []string) int {
	log, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	var out io.Writer = os.Stderr
	if err == nil {
		defer log.Close()
		out = log
	}
	tell := func(instance string, err error) {
		fmt.Fprintf(out, "<4>%s: %s stays plain: %v\n", generatorName, instance, err)
	}
	if os.Getenv("PATH") == "" { // before version 240 it is what the kernel gave systemd
		os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
	}
	if len(args) != 4 {
		tell("everything", fmt.Errorf("%d arguments given, systemd gives three folders", len(args)-1))
		return 0
	}
	h, err := host()
	if err == nil {
		err = h.Generate(args[1], tell)
	}
	if err != nil {
		tell("everything", err)
	}
	return 0
}

// hookCommand holds what unit files and init scripts run.
func hookCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "hook", Short: "What cws-wrap@.service and cws-attach@.service run", Hidden: true}
	one := func(use string, do func(systemd.Hook, context.Context, string) error) *cobra.Command {
		return &cobra.Command{Use: use + " NAME", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			say := func(format string, args ...any) { fmt.Fprintf(cmd.OutOrStdout(), format+"\n", args...) }
			if !exists("/run/systemd/system")() {
				return explain(followScript(cmd.Context(), args[0], say))
			}
			h, err := host()
			if err != nil {
				return explain(err)
			}
			err = do(systemd.Hook{Host: h, Say: say}, cmd.Context(), args[0])
			if err != nil && use != "stop" { // for those who wait for the start, cwsctl among them
				daemon.SdNotify(false, "STATUS="+strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			return explain(err)
		}}
	}
	cmd.AddCommand(one("start", systemd.Hook.Start), one("stop", systemd.Hook.Stop), one("attach", systemd.Hook.Attach),
		superviseCommand(), inheritCommand())
	return cmd
}

// followScript is attaching without systemd, until a signal ends it: there is nobody to ask whether a service is over.
func followScript(ctx context.Context, name string, say func(string, ...any)) error {
	f := &follow.Follower{
		Tracer: []string{systemd.DefaultTracer, "trace"}, Every: 500 * time.Millisecond, Say: say,
		Processes: func() ([]int, error) { return scripts().Processes(name) },
		Ready:     func(processes int) { say("attached to %d processes", processes) },
	}
	if addr := probeAddr(); addr != "" {
		f.Tracer = append(f.Tracer, "--probe-addr", addr)
	}
	conf, err := settings.Read(filepath.Join(settings.Folder, name+settings.Suffix))
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && conf.InstallFilter:
		f.Tracer = append(f.Tracer, "--install-filter")
	}
	if isUpstart() && jobs().Knows(name) && (conf == nil || conf.Match == "") {
		f.Processes = (&upstart.Members{Job: name}).List
	}
	return f.Run(ctx)
}
