package secl

import (
	"strings"
	"time"
)

// Parse reads an expression. Errors are of type *Error.
func Parse(source string) (Node, error) {
	return parse(source, func(p *parser) (Node, error) { return p.expression() })
}

// ParseMacro reads what a macro may hold: an expression, a list or a single value.
func ParseMacro(source string) (Node, error) {
	return parse(source, func(p *parser) (Node, error) {
		if p.tok.is("[") {
			return p.list()
		}
		return p.expression()
	})
}

// parser holds one token of lookahead.
type parser struct {
	lex   lexer
	tok   token
	depth int
}

func parse(source string, root func(*parser) (Node, error)) (Node, error) {
	if len(source) > maxExpression {
		return nil, errorAt(source, Span{}, "expression is %d bytes long, more than %d", len(source), maxExpression)
	}
	p := &parser{lex: lexer{src: source}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := root(p)
	if err != nil {
		return nil, err
	}
	switch {
	case p.tok.kind == intToken && strings.IndexByte("+-", source[p.tok.From]) >= 0:
		sign, digits := source[p.tok.From:p.tok.From+1], source[p.tok.From+1:p.tok.To]
		return nil, p.fail("the sign belongs to the number here: write %q", sign+" "+digits)
	case p.tok.kind != endOfInput:
		return nil, p.fail("expected an operator or the end, not %s", p.describe())
	}
	return n, nil
}

func (p *parser) advance() error {
	t, err := p.lex.next()
	p.tok = t
	return err
}

func (p *parser) fail(format string, args ...any) error {
	return errorAt(p.lex.src, p.tok.Span, format, args...)
}

func (p *parser) describe() string {
	if p.tok.kind == endOfInput {
		return "the end"
	}
	return p.lex.src[p.tok.From:p.tok.To]
}

// enter counts nesting; every recursion of the grammar passes through it.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail("nested more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

var logicOps = map[string]string{"&&": "&&", "and": "&&", "||": "||", "or": "||"}

// expression reads comparisons joined by and, or. The two have no precedence over each other and group to the right.
func (p *parser) expression() (Node, error) { return p.rightChain(p.comparison, logicOps) }

var bitOps = map[string]string{"&": "&", "|": "|", "^": "^"}

func (p *parser) bit() (Node, error) { return p.rightChain(p.unary, bitOps) }

// rightChain reads operands joined by ops and groups them to the right, without recursion however long the chain.
func (p *parser) rightChain(operand func() (Node, error), ops map[string]string) (Node, error) {
	first, err := operand()
	if err != nil {
		return nil, err
	}
	operands, used := []Node{first}, []string(nil)
	for {
		op, found := ops[p.tok.text]
		if !found || !p.tok.is(p.tok.text) {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := operand()
		if err != nil {
			return nil, err
		}
		operands, used = append(operands, n), append(used, op)
	}
	n := operands[len(operands)-1]
	for i := len(used) - 1; i >= 0; i-- {
		n = binary(used[i], operands[i], n)
	}
	return n, nil
}

func binary(op string, left, right Node) *Binary {
	return &Binary{Span: Span{left.Place().From, right.Place().To}, Op: op, Left: left, Right: right}
}

func (p *parser) comparison() (Node, error) {
	left, err := p.arithmetic()
	if err != nil {
		return nil, err
	}
	switch op := p.tok.text; {
	case p.tok.kind == punctuation && isScalarOp(op):
		return p.compared(left, op, p.comparison)
	case p.tok.kind != identToken:
		return left, nil
	case op == "in", op == "allin":
		return p.compared(left, op, p.array)
	case op == "not":
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.tok.is("in") {
			return nil, p.fail("expected in after not, not %s", p.describe())
		}
		return p.compared(left, "not in", p.array)
	}
	return left, nil
}

func (p *parser) compared(left Node, op string, operand func() (Node, error)) (Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	right, err := operand()
	if err != nil {
		return nil, err
	}
	return binary(op, left, right), nil
}

func isScalarOp(op string) bool {
	switch op {
	case "==", "!=", "<", "<=", ">", ">=", "=~", "!~":
		return true
	}
	return false
}

// arithmetic is the one chain that groups to the left.
func (p *parser) arithmetic() (Node, error) {
	left, err := p.bit()
	for err == nil && p.tok.kind == punctuation && (p.tok.text == "+" || p.tok.text == "-") {
		op := p.tok.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.bit()
		if err != nil {
			return nil, err
		}
		left = binary(op, left, right)
	}
	return left, err
}

func (p *parser) unary() (Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	op := p.tok.text
	switch {
	case p.tok.is("!"), p.tok.is("not"):
		op = "!"
	case p.tok.is("-"), p.tok.is("^"):
	default:
		return p.primary()
	}
	from := p.tok.From
	if err := p.advance(); err != nil {
		return nil, err
	}
	operand, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &Unary{Span{from, operand.Place().To}, op, operand}, nil
}

func (p *parser) primary() (Node, error) {
	if !p.tok.is("(") {
		return p.operand()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if !p.tok.is(")") {
		return nil, p.fail("expected ), not %s", p.describe())
	}
	if b, ok := n.(*Binary); ok {
		b.Grouped = true
	}
	return n, p.advance()
}

// operand reads one token that stands for a value.
func (p *parser) operand() (Node, error) {
	t := p.tok
	var n Node
	switch t.kind {
	case identToken:
		if isKeyword(t.text) && t.text != "true" && t.text != "false" {
			return nil, p.fail("expected a value, not %s", t.text)
		}
		n = &Ident{t.Span, t.text}
	case intToken:
		n = &IntLiteral{t.Span, t.num}
	case stringToken:
		n = &StringLiteral{t.Span, t.text, t.form}
	case durationToken:
		n = &DurationLiteral{t.Span, time.Duration(t.num)}
	case ipToken:
		n = &IPLiteral{t.Span, t.ip, t.net}
	case variableToken:
		n = &Variable{t.Span, t.text}
	case referenceToken:
		n = &Reference{t.Span, t.text}
	default:
		return nil, p.fail("expected a value, not %s", p.describe())
	}
	return n, p.advance()
}
