package secl

// namedConstant is a number or truth value with a name.
type namedConstant struct {
	value  int64
	isBool bool
}

// constantTables hold the names category by category. Where two use the same name they agree on the value.
var constantTables = []map[string]int64{openFlags, errnos}

// constantNamed finds a constant.
func constantNamed(name string) (namedConstant, bool) {
	switch name {
	case "true":
		return namedConstant{1, true}, true
	case "false":
		return namedConstant{0, true}, true
	}
	for _, table := range constantTables {
		if v, found := table[name]; found {
			return namedConstant{value: v}, true
		}
	}
	return namedConstant{}, false
}
