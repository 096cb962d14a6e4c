package secl

// Glob makes a matcher of paths with the semantics that ~"…" has on the path of a file.
func Glob(text string) (func(path string) bool, error) { return compileGlob(text) }
