package procfs

import (
	"fmt"
	"os"
	"strings"
)

// Mapping gives the addresses between which the first mapping of a name lies in a process's memory, such as "[vdso]".
func Mapping(pid int, name string) (start, end uint64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasSuffix(line, " "+name+"\n") {
			_, err := fmt.Sscanf(line, "%x-%x", &start, &end)
			return start, end, err
		}
	}
	return 0, 0, fmt.Errorf("process %d has no mapping %s", pid, name)
}
