package secl

import "strings"

// legacyFiles are the prefixes under which a file's path and name were once called filename and basename.
var legacyFiles = []struct{ old, present string }{
	{"chmod.", "chmod.file."}, {"chown.", "chown.file."}, {"open.", "open.file."}, {"mkdir.", "mkdir.file."},
	{"rmdir.", "rmdir.file."}, {"unlink.", "unlink.file."}, {"utimes.", "utimes.file."},
	{"rename.old.", "rename.file."}, {"rename.new.", "rename.file.destination."},
	{"link.source.", "link.file."}, {"link.target.", "link.file.destination."},
	{"exec.", "exec.file."}, {"process.", "process.file."}, {"process.ancestors.", "process.ancestors.file."},
}

var legacyNames = makeLegacyNames()

func makeLegacyNames() map[string]string {
	names := map[string]string{
		"async":      "event.async",
		"chmod.mode": "chmod.file.destination.mode", "open.mode": "open.file.destination.mode",
		"mkdir.mode": "mkdir.file.destination.mode",
		"chown.uid":  "chown.file.destination.uid", "chown.user": "chown.file.destination.user",
		"chown.gid": "chown.file.destination.gid", "chown.group": "chown.file.destination.group",
		"exec.name": "exec.comm", "process.name": "process.comm", "process.ancestors.name": "process.ancestors.comm",
	}
	for _, f := range legacyFiles {
		names[f.old+"filename"] = f.present + "path"
		names[f.old+"basename"] = f.present + "name"
	}
	return names
}

// presentName gives what a field of an old name is called now.
func presentName(name string) string {
	if present, found := legacyNames[name]; found {
		return present
	}
	// Lengths of renamed strings were called the same way.
	if base, found := strings.CutSuffix(name, ".length"); found {
		if present, found := legacyNames[base]; found {
			return present + ".length"
		}
	}
	return name
}
