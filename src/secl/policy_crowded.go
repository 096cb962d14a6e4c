package secl

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// maxKeys is how many keys a mapping of a rule or macro may have. The YAML library compares each with every other and
// lists every pair that is equal: a file of two megabytes would take all memory.
const maxKeys = 100

// crowded refuses what the YAML library should not be asked to decode. What aliases name is looked at once.
func (p *Policy) crowded(n *yaml.Node) error {
	if err, known := p.looked[n]; known {
		return err
	}
	if p.looked == nil {
		p.looked = map[*yaml.Node]error{}
	}
	p.looked[n] = nil // an alias within itself ends here
	err := p.crowdedBelow(n)
	p.looked[n] = err
	return err
}

func (p *Policy) crowdedBelow(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		return p.crowded(n.Alias)
	}
	if n.Kind == yaml.MappingNode && len(n.Content) > 2*maxKeys {
		return fmt.Errorf("line %d: a mapping has %d keys, more than %d", n.Line, len(n.Content)/2, maxKeys)
	}
	for _, below := range n.Content {
		if err := p.crowded(below); err != nil {
			return err
		}
	}
	return nil
}
