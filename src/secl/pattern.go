package secl

import (
	"errors"
	"strings"
)

// matcher decides about one string.
type matcher func(string) bool

// compilePattern makes the matcher of ~"text". On the path of a file a pattern is a glob, elsewhere * stands for any
// run of characters. A pattern without * is a comparison.
func compilePattern(text string, glob bool) (matcher, error) {
	switch {
	case glob:
		return compileGlob(text)
	case strings.Contains(text, "**"):
		return nil, errors.New("** has a meaning only in patterns of file paths")
	}
	return wildcard(text), nil
}

// wildcard matches text in which * stands for any run of characters.
func wildcard(text string) matcher {
	parts := strings.Split(text, "*")
	if len(parts) == 1 {
		return func(s string) bool { return s == text }
	}
	prefix, suffix := parts[0], parts[len(parts)-1]
	inner := parts[1 : len(parts)-1]
	return func(s string) bool {
		if len(s) < len(prefix)+len(suffix) || !strings.HasPrefix(s, prefix) || !strings.HasSuffix(s, suffix) {
			return false
		}
		// The leftmost place for each part leaves the most room for those that follow.
		s = s[len(prefix) : len(s)-len(suffix)]
		for _, part := range inner {
			i := strings.Index(s, part)
			if i < 0 {
				return false
			}
			s = s[i+len(part):]
		}
		return true
	}
}

// compileGlob matches element by element between slashes. ** is allowed only as the whole last element and stands for
// at least one character of whatever remains.
func compileGlob(text string) (matcher, error) {
	text = rooted(text)
	beginning, _, found := strings.Cut(text, "*")
	if !found {
		return func(s string) bool { return s == text }, nil
	}
	elements := strings.Split(text, "/")
	deep := elements[len(elements)-1] == "**"
	if deep {
		elements = elements[:len(elements)-1]
	}
	matchers := make([]matcher, len(elements))
	for i, element := range elements {
		if strings.Contains(element, "**") {
			return nil, errors.New("** may only be the whole last element of a path, as in /etc/**")
		}
		matchers[i] = wildcard(element)
	}
	// Most paths differ before the first star, and are never taken apart.
	return func(s string) bool { return strings.HasPrefix(s, beginning) && matchElements(matchers, deep, s) }, nil
}

// rooted reads a glob that begins with */ as one of a path from the root.
func rooted(text string) string {
	if strings.HasPrefix(text, "*/") {
		return "/" + text
	}
	return text
}

func matchElements(matchers []matcher, deep bool, s string) bool {
	for i, match := range matchers {
		element, rest, more := strings.Cut(s, "/")
		if !match(element) {
			return false
		}
		if last := i == len(matchers)-1; last && !deep {
			return !more
		}
		if !more {
			return false
		}
		s = rest
	}
	return s != ""
}
