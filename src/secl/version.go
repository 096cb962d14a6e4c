package secl

import (
	"fmt"
	"strconv"
	"strings"
)

// version is major, minor and patch; what follows them doesn't count.
type version [3]int

// parseVersion also tells how many of the three numbers are written; "x" and "*" end them.
func parseVersion(text string) (v version, written int, err error) {
	core, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	for _, number := range strings.SplitN(core, ".", 3) {
		if number == "x" || number == "*" {
			break
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return v, 0, fmt.Errorf("%q is not a version", text)
		}
		v[written] = n
		written++
	}
	return v, written, nil
}

func (v version) compare(w version) int {
	for i := range v {
		if v[i] != w[i] {
			return v[i] - w[i]
		}
	}
	return 0
}

// next is the first version after all those that share the first n numbers with v.
func (v version) next(n int) version {
	var out version
	if n == 0 {
		return version{1<<31 - 1}
	}
	copy(out[:n], v[:n])
	out[n-1]++
	return out
}

// satisfies tells whether a version meets a constraint: comparisons joined by commas or blanks, alternatives by ||.
func satisfies(have, constraint string) (bool, error) {
	v, _, err := parseVersion(have)
	if err != nil {
		return false, err
	}
	met := false
	for _, alternative := range strings.Split(constraint, "||") {
		ok, err := v.meetsAll(alternative)
		if err != nil {
			return false, fmt.Errorf("version constraint %q: %w", constraint, err)
		}
		met = met || ok
	}
	return met, nil
}

func (v version) meetsAll(text string) (bool, error) {
	// "> = 7.38" and ">= 7.38" are one comparison: the operator belongs to the version behind it.
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
	met, op := true, ""
	for _, word := range words {
		number := strings.TrimLeft(word, "<>=!~^")
		op += word[:len(word)-len(number)]
		if number == "" {
			continue
		}
		ok, err := v.meets(op, number)
		if err != nil {
			return false, err
		}
		met, op = met && ok, ""
	}
	if len(words) == 0 || op != "" {
		return false, fmt.Errorf("a version is missing")
	}
	return met, nil
}

// meets compares with a version of which only the first numbers may be written: 7.38 is 7.38.0 up to 7.39.
func (v version) meets(op, number string) (bool, error) {
	low, written, err := parseVersion(number)
	if err != nil {
		return false, err
	}
	from, to := v.compare(low) >= 0, v.compare(low.next(written)) < 0
	switch op {
	case "", "=", "==":
		return from && to, nil
	case "!=":
		return !(from && to), nil
	case ">":
		return !to, nil
	case ">=", "=>":
		return from, nil
	case "<":
		return !from, nil
	case "<=", "=<":
		return to, nil
	case "~", "~>":
		return from && v.compare(low.next(min(written, 2))) < 0, nil
	case "^":
		return from && v.compare(low.next(min(written, 1))) < 0, nil
	}
	return false, fmt.Errorf("%q is not an operator", op)
}
