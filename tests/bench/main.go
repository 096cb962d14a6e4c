// Bench measures what tracing costs: each load runs native, wrapped and, where there is strace, under strace with a filter
// of its own, in turn, and in another order each round. It prints ratios to native as a table.
//
// Usage: go run ./tests/bench [-rounds N] [-only NAME] BIN, the folder of the programs. Needs root for the databases.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	rounds := flag.Int("rounds", 5, "times that each load runs in each way")
	only := flag.String("only", "", "name of the one load to run")
	flag.Parse()
	if flag.NArg() != 1 || *rounds < 1 {
		fmt.Fprintln(os.Stderr, "usage: bench [-rounds N] [-only NAME] BIN")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *rounds, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
