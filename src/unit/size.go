package unit

import (
	"fmt"
	"math"
	"strings"
)

// sizes are the units of bytes in directives such as LimitAS= and MemoryMax= (systemd.exec(5), systemd.resource-control(5)).
var sizes = map[string]int64{"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60}

// Size reads a number of bytes such as "65536", "16M" or "1G 500M". Infinity is the largest there is; a percentage is none.
func Size(text string) (int64, error) {
	if strings.TrimSpace(text) == "infinity" {
		return math.MaxInt64, nil
	}
	total, err := sum(text, sizes)
	if err != nil {
		return 0, fmt.Errorf("%q is no size: %w", text, err)
	}
	if total >= math.MaxInt64 {
		return math.MaxInt64, nil
	}
	return int64(total), nil
}
