package secl

// array reads what may stand to the right of in.
func (p *parser) array() (Node, error) {
	switch {
	case p.tok.is("["):
		return p.list()
	case p.tok.kind == identToken, p.tok.kind == variableToken, p.tok.kind == referenceToken:
		return p.operand()
	case p.tok.kind == ipToken && p.tok.net:
		return p.operand()
	case p.tok.kind == ipToken:
		return nil, p.fail("an address after in must be a network; write == %s", p.tok.text)
	}
	return nil, p.fail("expected a list after in, not %s", p.describe())
}

func (p *parser) list() (Node, error) {
	list := &List{Span: p.tok.Span}
	var of kind
	for sep := "["; ; sep = "," {
		if p.tok.is("]") && len(list.Items) > 0 {
			list.To = p.tok.To
			return list, p.advance()
		}
		if !p.tok.is(sep) {
			return nil, p.fail("expected , or ] in the list, not %s", p.describe())
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if len(list.Items) == maxList {
			return nil, p.fail("list has more than %d values", maxList)
		}
		item, err := p.item(&of)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, item)
	}
}

func (p *parser) item(of *kind) (Node, error) {
	switch k := p.tok.kind; {
	case k != stringToken && k != ipToken && k != intToken && k != identToken:
		return nil, p.fail("expected a string, number, address or constant in the list, not %s", p.describe())
	case *of == endOfInput:
		*of = k
	case *of != k:
		return nil, p.fail("a list must not mix kinds of values: %s", p.describe())
	}
	return p.operand()
}
