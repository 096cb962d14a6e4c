package secl

// namedConstant is a number or truth value with a name.
type namedConstant struct {
	value  int64
	isBool bool
}

// constantTables hold the names category by category. Where two use the same name they agree on the value.
var constantTables = []map[string]int64{
	openFlags, fileModes, unlinkFlags, errnos, capabilities, signals, exitCauses, auditIDs, resources, prctlOptions,
	addressFamilies, ethernetProtocols, ipProtocols, socketTypes, sockoptLevels, sockoptNames,
	memoryConstants, vmConstants, traceConstants, bpfConstants, pipeConstants, networkConstants, metadataConstants,
}

var constants = mergeConstants()

func mergeConstants() map[string]int64 {
	all := make(map[string]int64)
	for _, table := range constantTables {
		for name, v := range table {
			all[name] = v
		}
	}
	return all
}

// constantNamed finds a constant.
func constantNamed(name string) (namedConstant, bool) {
	switch name {
	case "true":
		return namedConstant{1, true}, true
	case "false":
		return namedConstant{0, true}, true
	}
	v, found := constants[name]
	return namedConstant{value: v}, found
}
