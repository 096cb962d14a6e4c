// Package scripts holds the texts that init systems other than systemd get, as templates; src/service fills them in.
package scripts

import "embed"

// Sysvinit are wrap.sh, which puts a script behind a tracer, redirect.sh, which has calls of that script go there, and run.sh,
// which keeps a program running. Every value in the templates is quoted for sh by the function quote.
//
//go:embed sysvinit/*.sh.tmpl sysvinit/redirect.sh
var Sysvinit embed.FS
