package config

import (
	"fmt"
	"io"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// WriteYAML prints the effective values in the layout of the file, two blanks a level. Secrets are masked.
func (c *Config) WriteYAML(w io.Writer) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, r := range rows {
		node := root
		parts := strings.Split(r.key, ".")
		for _, part := range parts[:len(parts)-1] {
			node = below(node, part)
		}
		value := new(yaml.Node)
		if err := value.Encode(printable(r, c)); err != nil {
			return fmt.Errorf("print %s: %w", r.key, err)
		}
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: parts[len(parts)-1]}, value)
	}
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return fmt.Errorf("print configuration: %w", err)
	}
	return encoder.Close()
}

// below finds or makes the mapping under a key.
func below(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	child := &yaml.Node{Kind: yaml.MappingNode}
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, child)
	return child
}

func printable(r row, c *Config) any {
	switch f := r.field(c).(type) {
	case *bool:
		return *f
	case *int:
		return *f
	case *time.Duration:
		return f.String()
	case *[]string:
		return *f
	case *string:
		if r.secret && *f != "" {
			return "***"
		}
		return *f
	}
	return nil
}
