package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// staged marks the program that already runs on the stage.
const staged = "EBPFLESS_DETECTIONS_STAGED"

// addresses are the machine's own on the stage, so that connections to them lead nowhere else: the cloud's metadata
// service, and one of a network that is set aside for documentation (RFC 5737).
var addresses = []string{"169.254.169.254", "203.0.113.5"}

// enter runs this program again in mount and network namespaces of its own, and gives its exit status.
func enter() (int, error) {
	self := exec.Command("/proc/self/exe", os.Args[1:]...)
	self.Env = append(os.Environ(), staged+"=1")
	self.Stdout, self.Stderr = os.Stdout, os.Stderr
	self.SysProcAttr = &unix.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	err := self.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode(), nil
	}
	if err != nil {
		return 1, fmt.Errorf("make namespaces, which needs root and CAP_SYS_ADMIN: %w", err)
	}
	return 0, nil
}

// raiseNetwork gives the loopback device of the stage its addresses.
func raiseNetwork() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("raise network: %w", err)
	}
	defer unix.Close(fd)
	if err := raise(fd, "lo"); err != nil {
		return err
	}
	for i, address := range addresses {
		name := fmt.Sprintf("lo:%d", i+1)
		request, err := unix.NewIfreq(name)
		if err == nil {
			err = request.SetInet4Addr(net.ParseIP(address).To4())
		}
		if err == nil {
			err = unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request)
		}
		if err != nil {
			return fmt.Errorf("give %s the address %s: %w", name, address, err)
		}
	}
	return nil
}

func raise(fd int, name string) error {
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
	}
	if err != nil {
		return fmt.Errorf("raise %s: %w", name, err)
	}
	return nil
}
