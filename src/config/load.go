package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxSize bounds the file in bytes; real ones have a few thousand.
const maxSize = 1 << 20

// Default is the configuration of a host that has none.
func Default() *Config {
	c := new(Config)
	for _, r := range rows {
		assign(r.field(c), r.initial)
	}
	return c
}

// Load reads the file, puts the environment (NAME=value) over it, and checks the result. A file that doesn't exist is an
// empty one. Warnings concern what is ignored. Errors name file, line and key, or the variable.
func Load(path string, environ []string) (*Config, []string, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, text, environ)
}

// Parse is Load for a file whose text is at hand.
func Parse(path string, text []byte, environ []string) (*Config, []string, error) {
	if len(text) > maxSize {
		return nil, nil, fmt.Errorf("%s: %d bytes are more than a configuration has (%d)", path, len(text), maxSize)
	}
	c := Default()
	p := parser{path: path, config: c, rows: map[string]row{}}
	for _, r := range rows {
		p.rows[r.key] = r
	}
	if err := p.file(text); err != nil {
		return nil, nil, err
	}
	if err := p.environment(environ); err != nil {
		return nil, nil, err
	}
	if err := c.check(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, p.warnings, nil
}

type parser struct {
	path     string
	config   *Config
	rows     map[string]row
	warnings []string
}

func (p *parser) file(text []byte) error {
	var document yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document); err != nil {
		if len(bytes.TrimSpace(text)) == 0 || err.Error() == "EOF" {
			return nil
		}
		return p.broken(err)
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: expected keys and values", p.path, root.Line)
	}
	return p.mapping("", root, 0)
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// broken puts the line that the YAML library names where editors look for it.
func (p *parser) broken(err error) error {
	text := err.Error()
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s:%s: broken YAML: %s", p.path, m[1], strings.TrimPrefix(text, m[0]))
	}
	return fmt.Errorf("%s: broken YAML: %s", p.path, strings.TrimPrefix(text, "yaml: "))
}

// maxDepth is above what any key has; aliases could nest for ever.
const maxDepth = 16

func (p *parser) mapping(prefix string, node *yaml.Node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%s:%d: nested deeper than %d", p.path, node.Line, maxDepth)
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], resolve(node.Content[i+1])
		key := prefix + name.Value
		if line := seen[name.Value]; line > 0 {
			return fmt.Errorf("%s:%d: %s is given twice, first on line %d", p.path, name.Line, key, line)
		}
		seen[name.Value] = name.Line
		if err := p.entry(key, name.Line, value, depth); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) entry(key string, line int, value *yaml.Node, depth int) error {
	if r, known := p.rows[key]; known {
		if value.Tag == "!!null" {
			return nil
		}
		v, err := parseNode(r.field(p.config), value)
		if err != nil {
			return fmt.Errorf("%s:%d: %s: %w", p.path, line, key, err)
		}
		assign(r.field(p.config), v)
		return nil
	}
	if !p.above(key) {
		if strings.HasPrefix(key, cws) {
			p.warnings = append(p.warnings, fmt.Sprintf("%s:%d: %s is not known here and is ignored", p.path, line, key))
		}
		return nil
	}
	if value.Tag == "!!null" {
		return nil
	}
	if value.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: %s: expected keys and values below it", p.path, line, key)
	}
	return p.mapping(key+".", value, depth+1)
}

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// above tells whether known keys lie below this one.
func (p *parser) above(key string) bool {
	for known := range p.rows {
		if strings.HasPrefix(known, key+".") {
			return true
		}
	}
	return false
}

func (p *parser) environment(environ []string) error {
	settings, _ := FromEnvironment(environ)
	for _, s := range settings {
		field := p.rows[s.Key].field(p.config)
		v, err := parseText(field, s.Value)
		if err != nil {
			return fmt.Errorf("environment variable %s: %w", variable(s.Key), err)
		}
		assign(field, v)
	}
	return nil
}

func (c *Config) check() error {
	host, port, err := net.SplitHostPort(c.Socket)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n > 65535 {
		return fmt.Errorf("%ssocket (%s): %q is not host:port", ebpfless, variable(ebpfless+"socket"), c.Socket)
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return fmt.Errorf("%ssocket: %q is not an IPv4 address", ebpfless, host)
	}
	for name, d := range map[string]Disarmer{"container": c.DisarmContainer, "executable": c.DisarmExecutable, "process": c.DisarmProcess} {
		if d.Enabled && d.MaxAllowed <= 0 {
			return fmt.Errorf("%s%s: max_allowed %d must be above 0 where the disarmer is enabled", disarms, name, d.MaxAllowed)
		}
	}
	if c.EventBurst < 0 || c.EventRate < 0 {
		return fmt.Errorf("%sburst and rate must not be negative", server)
	}
	return nil
}
