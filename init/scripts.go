// Package scripts holds the texts that init systems other than systemd get, as templates; src/service fills them in.
package scripts

import "embed"

// Sysvinit are wrap.sh, which puts a script behind a tracer, and run.sh, which keeps a program running. Every value in them
// is quoted for sh by the function quote.
//
//go:embed sysvinit/*.sh.tmpl
var Sysvinit embed.FS
