package secl

import "slices"

// fewValues is up to how many values a list is faster to walk than to hash.
const fewValues = 8

// stringSet makes the test for being one of some strings. Most strings of an event differ from all of them in length
// already, so the lengths are looked at before anything is hashed.
func stringSet(values []string) matcher {
	var lengths uint64
	for _, v := range values {
		lengths |= lengthBit(v)
	}
	if len(values) <= fewValues {
		return func(s string) bool { return lengths&lengthBit(s) != 0 && slices.Contains(values, s) }
	}
	set := make(map[string]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return func(s string) bool {
		if lengths&lengthBit(s) == 0 {
			return false
		}
		_, found := set[s]
		return found
	}
}

// lengthBit stands for the length of a string; all from 63 on share one.
func lengthBit(s string) uint64 { return 1 << min(len(s), 63) }

// intSet makes the test for being one of some numbers.
func intSet(values []int64) func(int64) bool {
	if len(values) <= fewValues {
		return func(x int64) bool { return slices.Contains(values, x) }
	}
	set := make(map[int64]struct{}, len(values))
	for _, v := range values {
		set[v] = struct{}{}
	}
	return func(x int64) bool { _, found := set[x]; return found }
}
