package unit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
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
	if strings.TrimSpace(text) == "infinity" {
		return 0, nil
	}
	total, err := sum(text, spans)
	if err != nil {
		return 0, fmt.Errorf("%q is no time span: %w", text, err)
	}
	return time.Duration(total), nil
}

// sum adds up numbers with units, the empty unit included.
func sum[T ~int64](text string, units map[string]T) (float64, error) {
	total := 0.0
	rest := strings.TrimSpace(text)
	for first := true; rest != "" || first; first = false {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		number, err := strconv.ParseFloat(rest[:digits], 64)
		if err != nil {
			return 0, err
		}
		rest = strings.TrimLeft(rest[digits:], " ")
		letters := len(rest) - len(strings.TrimLeftFunc(rest, unicode.IsLetter))
		unit, known := units[rest[:letters]]
		if !known {
			return 0, fmt.Errorf("%q is no unit", rest[:letters])
		}
		total += number * float64(unit)
		rest = strings.TrimLeft(rest[letters:], " ")
	}
	return total, nil
}
