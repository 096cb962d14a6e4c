package secl

import "golang.org/x/sys/unix"

// errnos are negative, as a call's return value has them.
var errnos = makeErrnos()

// makeErrnos asks x/sys for the names. 4095 is the kernel's MAX_ERRNO.
func makeErrnos() map[string]int64 {
	table := map[string]int64{
		"EWOULDBLOCK": -int64(unix.EWOULDBLOCK), "EDEADLOCK": -int64(unix.EDEADLOCK), "ENOTSUP": -int64(unix.ENOTSUP),
	}
	for n := int64(1); n <= 4095; n++ {
		if name := unix.ErrnoName(unix.Errno(n)); name != "" {
			table[name] = -n
		}
	}
	return table
}
