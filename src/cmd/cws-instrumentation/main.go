// cws-instrumentation is the tracer.
//
// The tracing loop sits in a raw wait4 on one processor: whatever stops the world would wait for it, as the runtime does
// when a container's processor limit changes.
//
//go:debug updatemaxprocs=0
package main

import (
	"os"

	"github.com/ebpfless/ebpfless/src/cli/tracer"
)

func main() { os.Exit(tracer.Main(os.Args, os.Stdout, os.Stderr)) }
