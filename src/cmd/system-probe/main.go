// system-probe is the probe.
package main

import (
	"os"

	"github.com/ebpfless/ebpfless/src/cli/probe"
)

func main() { os.Exit(probe.Main(os.Args, os.Stdout, os.Stderr)) }
