package secl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// ParsePolicy reads the YAML of a policy file; file names it in messages. Problems are in the policy's Outcomes.
func ParsePolicy(file string, content []byte) *Policy {
	p := &Policy{File: file, Name: filepath.Base(file)}
	if len(content) > maxPolicy {
		p.fail(Outcome{Message: fmt.Sprintf("policy file is larger than %d bytes", maxPolicy)})
		return p
	}
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		p.fail(Outcome{Message: "policy file is empty"})
	case err != nil:
		p.fail(Outcome{Message: err.Error(), Place: Place{Line: lineOf(err)}})
	default:
		p.read(root.Content[0])
		if more := new(yaml.Node); !errors.Is(decoder.Decode(more), io.EOF) {
			p.fail(Outcome{Message: "what follows the first YAML document is ignored", Place: placeOf(more)})
		}
	}
	return p
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// lineOf digs the line out of an error of the YAML library, which has no field for it.
func lineOf(err error) int {
	found := yamlLine.FindStringSubmatch(err.Error())
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[1])
	return line
}

// read takes the document apart, each rule and macro on its own, so that a broken one leaves the others alone.
func (p *Policy) read(root *yaml.Node) {
	if root.Kind != yaml.MappingNode {
		p.fail(Outcome{Message: "policy file is not a mapping with rules and macros", Place: placeOf(root)})
		return
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		var err error
		switch key.Value {
		case "version":
			p.Version = node.Value
		case "type":
			p.Type = node.Value
		case "macros":
			err = each(node, p.readMacro)
		case "rules":
			err = each(node, p.readRule)
		case "replace_policy_id", "hooks":
		default:
			err = errors.New("is no key of a policy file")
		}
		if err != nil {
			p.fail(Outcome{Message: fmt.Sprintf("%s: %v", key.Value, err), Place: placeOf(node)})
		}
	}
}

func each(list *yaml.Node, visit func(*yaml.Node)) error {
	if list.Kind == yaml.AliasNode {
		list = list.Alias
	}
	if list.Tag == "!!null" {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		return errors.New("is not a list")
	}
	for _, item := range list.Content {
		visit(item)
	}
	return nil
}

func (p *Policy) readRule(n *yaml.Node) {
	r := &RuleDef{Policy: p, At: placeOf(n), ExprAt: expressionPlace(n)}
	if err := p.crowded(n); err != nil {
		p.fail(Outcome{Message: err.Error(), Place: r.At})
		return
	}
	nanoseconds(n)
	err := n.Decode(r)
	r.warnings = unknownKeys(n, ruleKeys)
	if err == nil {
		placeActions(n, r.Actions)
		err = r.check()
	}
	if err != nil {
		p.fail(Outcome{RuleID: r.ID, Message: err.Error(), Place: r.At})
		return
	}
	p.Rules = append(p.Rules, r)
}

func (p *Policy) readMacro(n *yaml.Node) {
	m := &MacroDef{Policy: p, At: placeOf(n), ExprAt: expressionPlace(n)}
	err := p.crowded(n)
	if err == nil {
		err = n.Decode(m)
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		p.fail(Outcome{RuleID: m.ID, Macro: true, Message: err.Error(), Place: m.At})
		return
	}
	p.Macros = append(p.Macros, m)
}

func placeOf(n *yaml.Node) Place { return Place{n.Line, n.Column} }

// valueOf gives the value of a key of a mapping, nil without one.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// placeActions notes where the actions stand in the file.
func placeActions(rule *yaml.Node, actions []*Action) {
	list := valueOf(rule, "actions")
	for i, a := range actions {
		// Through an alias or merge the rule has no place of its own for them.
		if a != nil && list != nil && i < len(list.Content) {
			a.At = placeOf(list.Content[i])
		}
	}
}

var ruleKeys = keysOf(reflect.TypeFor[RuleDef]())

// keysOf lists the keys that decoding into a struct understands.
func keysOf(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// unknownKeys warns about keys that nobody reads: they may be mistyped, or of a newer version of the language.
func unknownKeys(n *yaml.Node, known []string) (warnings []string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Value != "<<" && !slices.Contains(known, key.Value) {
			warnings = append(warnings, fmt.Sprintf("line %d: key %q is unknown and ignored", key.Line, key.Value))
		}
	}
	return warnings
}

// expressionPlace finds the first character of the expression in the file.
func expressionPlace(n *yaml.Node) Place {
	v := valueOf(n, "expression")
	if v == nil {
		return placeOf(n)
	}
	switch v.Style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return Place{v.Line + 1, 1}
	case yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle:
		return Place{v.Line, v.Column + 1}
	}
	return placeOf(v)
}
