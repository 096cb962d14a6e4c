// Command toy is a service for tests: it can start and be found in all the ways that init systems know, answers a line of text
// by TCP, and does something hostile when asked.
//
//	hello   its argument 0 and arguments, its user and groups, and what the environment says of the user
//	pid     its process id
//	reloads how often it got SIGHUP
//	hang    stops telling systemd that it is alive
//	evil    opens the file with the password hashes
//	quit    ends without an answer, with status 1
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

var (
	listen    = flag.String("listen", ownAddress(), "address; empty: the socket that systemd passes")
	daemonize = flag.Bool("daemonize", false, "go to the background when the socket is open")
	pidFile   = flag.String("pidfile", "", "file that gets the process id")
	uid       = flag.Int("uid", -1, "user to become")
	delay     = flag.Duration("delay", 0, "time that starting takes")
	bus       = flag.String("bus", "", "name to own on the system's message bus")
	worker    = flag.Bool("worker", false, "serve from a child, which gets the socket as standard input")
)

// ownAddress is for myapp of the guide, which is started without flags.
func ownAddress() string {
	if filepath.Base(os.Args[0]) == "myapp" {
		return "127.0.0.1:7900"
	}
	return ""
}

func main() {
	flag.Parse()
	log.SetFlags(0)
	listener, err := open()
	if err != nil {
		log.Fatal(err)
	}
	if *daemonize {
		background(listener)
		return
	}
	if *uid >= 0 {
		if err := syscall.Setgid(*uid); err != nil {
			log.Fatal(err)
		}
		if err := syscall.Setuid(*uid); err != nil {
			log.Fatal(err)
		}
	}
	if *pidFile != "" && !*worker {
		if err := os.WriteFile(*pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	time.Sleep(*delay)
	daemon.SdNotify(false, daemon.SdNotifyReady+"\nSTATUS=serving")
	if *bus != "" {
		if err := own(*bus); err != nil {
			log.Fatal(err)
		}
	}
	hangup := make(chan os.Signal, 8)
	signal.Notify(hangup, syscall.SIGHUP)
	go live(hangup)
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(conn)
	}
}

var (
	reloads atomic.Int32
	hangs   atomic.Bool
)

// live tells systemd's watchdog that it is alive, and counts the signals for a reload.
func live(hangup <-chan os.Signal) {
	var tick <-chan time.Time
	if every, _ := daemon.SdWatchdogEnabled(false); every > 0 {
		tick = time.Tick(every / 3)
	}
	for {
		select {
		case <-hangup:
			var now unix.Timespec
			unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
			daemon.SdNotify(false, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
			reloads.Add(1)
			daemon.SdNotify(false, daemon.SdNotifyReady)
		case <-tick:
			if !hangs.Load() {
				daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}
}

// open gives the socket: descriptor 0 for a worker, 3 from systemd.
func open() (net.Listener, error) {
	switch {
	case *worker:
		return net.FileListener(os.Stdin)
	case *listen != "":
		return net.Listen("tcp", *listen)
	case os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) || os.Getenv("LISTEN_FDS") != "1":
		return nil, fmt.Errorf("LISTEN_PID is %q and LISTEN_FDS %q, the process id %d", os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getpid())
	}
	return net.FileListener(os.NewFile(3, "socket"))
}

// background starts the worker, which outlives this process, and ends.
func background(listener net.Listener) {
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		log.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-worker", "-uid", strconv.Itoa(*uid))
	child.Stdin, child.Stderr = socket, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		log.Fatal(err)
	}
	if *pidFile != "" {
		if err := os.WriteFile(*pidFile, []byte(strconv.Itoa(child.Process.Pid)+"\n"), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

func serve(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return
	}
	switch strings.TrimSpace(line) {
	case "hello":
		var groups []string
		if list, err := os.Getgroups(); err == nil {
			for _, g := range list {
				groups = append(groups, strconv.Itoa(g))
			}
		}
		fmt.Fprintf(conn, "argv0=%s args=%q uid=%d gid=%d groups=%s home=%s user=%s\n", os.Args[0], flag.Args(), os.Getuid(),
			os.Getgid(), strings.Join(groups, ","), os.Getenv("HOME"), os.Getenv("USER"))
	case "pid":
		fmt.Fprintln(conn, os.Getpid())
	case "reloads":
		fmt.Fprintln(conn, reloads.Load())
	case "hang":
		hangs.Store(true)
		fmt.Fprintln(conn, "done")
	case "evil":
		file, err := os.Open("/etc/shadow")
		if err == nil {
			file.Close()
		}
		fmt.Fprintln(conn, "done")
	case "quit":
		os.Exit(1)
	}
}
