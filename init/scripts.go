// Package scripts holds the texts that init systems other than systemd get, as templates; src/service fills them in.
package scripts

import "embed"

// Sysvinit are wrap.sh, run.sh and attach.sh. Every value in them is quoted for sh by the function quote.
//
//go:embed sysvinit/*.sh
var Sysvinit embed.FS
