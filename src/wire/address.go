package wire

import "strings"

// Address turns localhost:PORT into 127.0.0.1:PORT and leaves everything else. Minimal images have no /etc/hosts, and what
// name servers say of localhost is nobody's business (RFC 6761, section 6.3). The original speaks IPv4 only.
func Address(addr string) string {
	if port, found := strings.CutPrefix(addr, "localhost:"); found {
		return "127.0.0.1:" + port
	}
	return addr
}
