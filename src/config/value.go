package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// assign stores a value of the type that the field has.
func assign(field, value any) {
	switch f := field.(type) {
	case *bool:
		*f = value.(bool)
	case *int:
		*f = value.(int)
	case *string:
		*f = value.(string)
	case *time.Duration:
		*f = value.(time.Duration)
	case *[]string:
		*f = slices.Clone(value.([]string))
	}
}

// parseText reads a value from an environment variable.
func parseText(field any, text string) (any, error) {
	switch field.(type) {
	case *bool:
		b, err := strconv.ParseBool(strings.ToLower(text))
		if err != nil {
			return nil, fmt.Errorf("%q is not true or false", text)
		}
		return b, nil
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number", text)
		}
		return n, nil
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a duration such as 6s or 1m30s", text)
		}
		return d, nil
	case *[]string:
		return parseList(text)
	}
	return text, nil
}

// parseList takes JSON, or words with blanks between.
func parseList(text string) (any, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return strings.Fields(text), nil
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("%q is not a JSON list of strings", text)
	}
	return list, nil
}

// parseNode reads a value from the file.
func parseNode(field any, node *yaml.Node) (any, error) {
	if _, list := field.(*[]string); list {
		if node.Kind == yaml.SequenceNode {
			var values []string
			if err := node.Decode(&values); err != nil {
				return nil, fmt.Errorf("expected a list of strings")
			}
			return values, nil
		}
		if node.Kind == yaml.ScalarNode && node.Tag == "!!str" {
			return parseList(node.Value)
		}
		return nil, fmt.Errorf("expected a list of strings")
	}
	if node.Kind != yaml.ScalarNode {
		return nil, fmt.Errorf("expected a single value")
	}
	return parseText(field, node.Value)
}
