package main

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// addresses are the machine's own on the stage, so that connections to them lead nowhere else: the cloud's metadata
// service, and one of a network that is set aside for documentation (RFC 5737).
var addresses = []string{"169.254.169.254", "203.0.113.5"}

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
