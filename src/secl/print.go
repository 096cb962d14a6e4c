package secl

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Levels of the grammar, from what binds least to what binds most.
const (
	levelLogic = iota
	levelComparison
	levelArithmetic
	levelBit
	levelUnary
	levelPrimary
)

// Print writes an expression in canonical form: && and ||, single blanks, only the parentheses that are needed.
// Parsing what it gives makes the same tree.
func Print(n Node) string {
	var b strings.Builder
	write(&b, n, levelLogic)
	return b.String()
}

// write puts parentheses around n when it binds less than level asks for.
func write(b *strings.Builder, n Node, level int) {
	if levelOf(n) < level {
		b.WriteByte('(')
		write(b, n, levelLogic)
		b.WriteByte(')')
		return
	}
	switch n := n.(type) {
	case *Binary:
		left, right := sides(n.Op)
		write(b, n.Left, left)
		fmt.Fprintf(b, " %s ", n.Op)
		write(b, n.Right, right)
	case *Unary:
		writeUnary(b, n)
	case *List:
		for i, item := range n.Items {
			b.WriteString([]string{"[", ", "}[min(i, 1)])
			write(b, item, levelPrimary)
		}
		b.WriteByte(']')
	default:
		b.WriteString(literal(n))
	}
}

// writeUnary keeps the operator from growing together with what follows: -1 is a number and !~ an operator.
func writeUnary(b *strings.Builder, n *Unary) {
	b.WriteString(n.Op)
	switch operand := n.Operand.(type) {
	case *IntLiteral, *DurationLiteral:
		b.WriteByte(' ')
	case *StringLiteral:
		if operand.Form == Pattern {
			b.WriteByte('(')
			defer b.WriteByte(')')
		}
	}
	write(b, n.Operand, levelUnary)
}

func levelOf(n Node) int {
	switch n := n.(type) {
	case *Binary:
		switch n.Op {
		case "&&", "||":
			return levelLogic
		case "+", "-":
			return levelArithmetic
		case "&", "|", "^":
			return levelBit
		}
		return levelComparison
	case *Unary:
		return levelUnary
	}
	return levelPrimary
}

// sides gives the levels that stand left and right of an operator without parentheses.
func sides(op string) (left, right int) {
	switch op {
	case "&&", "||":
		return levelComparison, levelLogic
	case "+", "-":
		return levelArithmetic, levelBit
	case "&", "|", "^":
		return levelUnary, levelBit
	case "in", "not in", "allin":
		return levelArithmetic, levelPrimary
	}
	return levelArithmetic, levelComparison
}

func literal(n Node) string {
	switch n := n.(type) {
	case *Ident:
		return n.Name
	case *IntLiteral:
		return strconv.FormatInt(n.Value, 10)
	case *StringLiteral:
		return [...]string{Plain: "", Pattern: "~", Regexp: "r"}[n.Form] + `"` + n.Text + `"`
	case *DurationLiteral:
		return printDuration(n.Value)
	case *IPLiteral:
		if n.Network {
			return n.Prefix.String()
		}
		return n.Prefix.Addr().String()
	case *Variable:
		return "${" + n.Name + "}"
	case *Reference:
		return "%{" + n.Name + "}"
	}
	return ""
}

// printDuration uses the largest unit that leaves no fraction; every literal is a whole number of milliseconds.
func printDuration(d time.Duration) string {
	for i := len(durationUnits) - 2; i >= 0; i-- {
		if u := durationUnits[i]; d%u.unit == 0 && (d != 0 || i == 1) {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.suffix
		}
	}
	return d.String()
}
