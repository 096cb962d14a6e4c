package host

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// ErrGone says that a connection's other end is on this machine and closed already: it belongs to nobody any more.
var ErrGone = errors.New("its socket is closed already")

// SocketOwner finds the user whose socket is at the other end of a TCP connection that this process has accepted, in the
// tables of its own network namespace. known is false for an end in another namespace or on another machine.
func SocketOwner(peer, here netip.AddrPort) (uid uint32, known bool, err error) {
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		uid, known, err = ownerIn(table, peer, here)
		if known || err != nil {
			return uid, known, err
		}
	}
	if peer.Addr().Unmap().IsLoopback() {
		return 0, false, ErrGone // whoever it was is here
	}
	return 0, false, nil
}

// ownerIn looks for the socket from peer to here in a table in the form of proc(5): number, local address, remote address,
// state, two pairs, retransmissions, owner, timeout, inode. A socket without a file has neither owner nor inode.
func ownerIn(table string, peer, here netip.AddrPort) (uid uint32, known bool, err error) {
	file, err := os.Open(table)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil // a kernel without IPv6
	}
	if err != nil {
		return 0, false, fmt.Errorf("find a socket's owner: %w", err)
	}
	defer file.Close()
	wide := strings.HasSuffix(table, "6")
	local, remote := inTable(peer, wide), inTable(here, wide)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 10 || f[1] != local || f[2] != remote {
			continue
		}
		if f[9] == "0" {
			return 0, false, ErrGone
		}
		owner, err := strconv.ParseUint(f[7], 10, 32)
		return uint32(owner), err == nil, err
	}
	return 0, false, nil
}

// inTable writes an address as the tables have it: each 32 bits of it as one number of this machine.
func inTable(a netip.AddrPort, wide bool) string {
	b := a.Addr().As16()
	words := b[:]
	if !wide {
		words = b[12:]
	}
	text := ""
	for ; len(words) > 0; words = words[4:] {
		text += fmt.Sprintf("%08X", binary.NativeEndian.Uint32(words))
	}
	return fmt.Sprintf("%s:%04X", text, a.Port())
}
