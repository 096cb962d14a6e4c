package guard

import (
	"encoding/json"
	"maps"

	"github.com/ebpfless/ebpfless/src/event"
)

// describe is an event as --debug shows it: what is not zero.
func describe(e *event.Event) string {
	b, err := json.Marshal(e)
	if err != nil {
		return err.Error()
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		return err.Error()
	}
	b, err = json.Marshal(prune(all))
	if err != nil {
		return err.Error()
	}
	return e.Kind.String() + " " + string(b)
}

func prune(fields map[string]any) map[string]any {
	maps.DeleteFunc(fields, func(_ string, value any) bool {
		if inner, ok := value.(map[string]any); ok {
			return len(prune(inner)) == 0
		}
		return value == nil || value == "" || value == false || value == 0.0
	})
	return fields
}
