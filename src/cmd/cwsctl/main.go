// cwsctl is the administrator's tool.
package main

import (
	"os"

	"github.com/ebpfless/ebpfless/src/cli/ctl"
)

func main() { os.Exit(ctl.Main(os.Args, os.Stdout, os.Stderr)) }
