package systemd

import (
	"os"
	"slices"
	"strings"

	"github.com/ebpfless/ebpfless/src/unit"
)

// owner is the user that a service runs as, from the user database.
type owner struct{ uid, gid string }

// withoutSetID are directives with which set-user-id programs lose their privilege in a service that has a user
// (NoNewPrivileges=, and those of systemd.exec(5) that imply it), and those that give or take capabilities.
var withoutSetID = []string{
	"NoNewPrivileges", "DynamicUser", "SystemCallFilter", "SystemCallArchitectures", "SystemCallLog", "RestrictAddressFamilies",
	"RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "PrivateDevices", "ProtectKernelTunables",
	"ProtectKernelModules", "ProtectKernelLogs", "ProtectClock", "ProtectHostname", "MemoryDenyWriteExecute",
	"LockPersonality", "RestrictFileSystems", "PrivateUsers", "CapabilityBoundingSet", "AmbientCapabilities", "SecureBits",
	"SupplementaryGroups", "PAMName", "RootDirectory", "RootImage", "NetworkNamespacePath",
}

// owner gives the user of a service whose tracer is to run as root and take on that user at the end, by a ! before the
// command line (version 231). A tracer that has the service's user needs no_new_privs for its filter, and the service could
// kill it. Where set-user-id programs have no effect anyhow, and where systemd does more than change the user, the tracer
// stays that user's.
func (h Host) owner(s unit.File) *owner {
	name := s.Last("Service", "User")
	if h.Version < 231 || name == "" || slices.ContainsFunc(withoutSetID, func(key string) bool { return s.Last("Service", key) != "" }) {
		return nil
	}
	user := h.user(name)
	if user == nil || user.uid == "0" || !h.local() {
		return nil
	}
	if group := s.Last("Service", "Group"); group != "" && group != user.gid && h.group(group) != user.gid {
		return nil
	}
	return user
}

// user finds a user by name or number; the name must be the first with that number.
func (h Host) user(name string) *owner {
	for _, fields := range h.database("/etc/passwd", 7) {
		if fields[0] == name || fields[2] == name {
			return &owner{uid: fields[2], gid: fields[3]}
		}
	}
	return nil
}

func (h Host) group(name string) string {
	for _, fields := range h.database("/etc/group", 4) {
		if fields[0] == name {
			return fields[2]
		}
	}
	return ""
}

func (h Host) database(path string, columns int) [][]string {
	text, err := os.ReadFile(h.path(path))
	if err != nil {
		return nil
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(strings.TrimRight(line, "\n"), ":"); len(fields) == columns {
			rows = append(rows, fields)
		}
	}
	return rows
}

// local tells whether a user's groups are all in /etc/group, where the tracer, a static program, finds them.
func (h Host) local() bool {
	text, err := os.ReadFile(h.path("/etc/nsswitch.conf"))
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "group:" && words[0] != "initgroups:" {
			continue
		}
		for _, source := range words[1:] {
			if source != "files" && source != "systemd" && source != "compat" && !strings.HasPrefix(source, "[") {
				return false
			}
		}
	}
	return true
}
