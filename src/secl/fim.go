package secl

import (
	"fmt"
	"strings"
)

// fimPrefix stands for the file of every event that changes files.
const fimPrefix = "fim.write.file."

// fimEvents are the rules that one rule with fimPrefix becomes: what takes the prefix's place, and what must hold too
// for the event to be a change.
var fimEvents = []struct{ name, file, condition string }{
	{"open", "open.file.", "open.flags & (O_CREAT|O_TRUNC|O_APPEND|O_RDWR|O_WRONLY) > 0"},
	{"chmod", "chmod.file.", "chmod.file.destination.mode != chmod.file.mode"},
	{"chown", "chown.file.", "((chown.file.destination.uid != -1 && chown.file.destination.uid != chown.file.uid) || " +
		"(chown.file.destination.gid != -1 && chown.file.destination.gid != chown.file.gid))"},
	{"link", "link.file.", ""},
	{"rename", "rename.file.", ""},
	{"rename_destination", "rename.file.destination.", ""},
	{"unlink", "unlink.file.", ""},
	{"utimes", "utimes.file.", ""},
}

// expandFIM gives the rules that a rule stands for: itself, or one for each way to change a file.
func expandFIM(r *RuleDef) []*RuleDef {
	if !strings.Contains(r.Expression, fimPrefix) {
		return []*RuleDef{r}
	}
	out := make([]*RuleDef, 0, len(fimEvents))
	for _, e := range fimEvents {
		one := *r
		one.ID = fmt.Sprintf("__fim_expanded_%s_%s_%s", e.name, r.GroupID, r.ID)
		one.OriginalID = r.ID
		// The condition goes behind, so that places in the written expression stay near what the file shows.
		one.Expression = "(" + strings.ReplaceAll(r.Expression, fimPrefix, e.file) + ")"
		if e.condition != "" {
			one.Expression += " && " + e.condition
		}
		out = append(out, &one)
	}
	return out
}
