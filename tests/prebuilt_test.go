package tests

import (
	"flag"
	"path/filepath"
	"runtime"
	"strings"
)

// The tests also run where nothing can be built: in a virtual machine, on another kernel or of another architecture.
//
//	go test ./tests -args -prebuild DIR -for arm64
//	GOARCH=arm64 go test -c -o DIR/tests.test ./tests
//	(there, in a folder that has tests/tracees) DIR/tests.test -prebuilt DIR -test.run TestTracees
var (
	prebuild = flag.String("prebuild", "", "build into this folder what the tests run, and end")
	prebuilt = flag.String("prebuilt", "", "take from this folder what the tests run, and build nothing")
	machine  = flag.String("for", runtime.GOARCH, "the GOARCH that is built for")
)

// buildAll builds the tracer, and the programs to trace in every width.
func buildAll() error {
	if err := buildProgram("cws-instrumentation"); err != nil {
		return err
	}
	for _, name := range sources("loads") {
		if err := once(loadFile(name), compileLoad(name)...); err != nil {
			return err
		}
	}
	for _, as := range []bits{native, narrow32} {
		if err := compiles(as); err != nil {
			return err
		}
		for _, name := range sources("tracees") {
			if err := once(traceeFile(name, as), compile(name, as)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// sources are the names of the C programs in a folder.
func sources(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.c")) // the pattern is well-formed
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".c")
	}
	return files
}
