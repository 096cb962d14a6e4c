package unit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// spans are the units of systemd.time(7) that a service's timeouts are written in.
var spans = map[string]time.Duration{
	"usec": time.Microsecond, "us": time.Microsecond, "msec": time.Millisecond, "ms": time.Millisecond,
	"seconds": time.Second, "second": time.Second, "sec": time.Second, "s": time.Second, "": time.Second,
	"minutes": time.Minute, "minute": time.Minute, "min": time.Minute, "m": time.Minute,
	"hours": time.Hour, "hour": time.Hour, "hr": time.Hour, "h": time.Hour,
	"days": 24 * time.Hour, "day": 24 * time.Hour, "d": 24 * time.Hour,
}

// Duration reads a time span such as "90", "1min 30s" or "1.5h". Infinity is 0, as in most settings.
func Duration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "infinity" {
		return 0, nil
	}
	var total time.Duration
	rest := text
	for first := true; rest != "" || first; first = false {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		number, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no time span", text)
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		letters := len(rest) - len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz"))
		span, known := spans[rest[:letters]]
		if !known {
			return 0, fmt.Errorf("%q is no time span", text)
		}
		total += time.Duration(number * float64(span))
		rest = strings.TrimLeft(rest[letters:], " ")
	}
	return total, nil
}
