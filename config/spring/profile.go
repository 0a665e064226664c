package spring

import (
	"errors"
	"slices"
	"strings"
)

// accepts says whether an expression of profiles holds: names with ! & | and brackets, and lists with commas of which one is enough.
func accepts(expressions []string, active []string) (bool, error) {
	accepted := false
	for _, text := range expressions {
		for _, one := range strings.Split(text, ",") {
			parser := profileParser{rest: strings.TrimSpace(one), active: active}
			holds, err := parser.whole()
			if err != nil {
				return false, err
			}
			accepted = accepted || holds
		}
	}
	return accepted, nil
}

// errExpression is the one thing that is wrong with an expression; which of its signs is too much helps nobody.
var errExpression = errors.New("it is no expression of profiles; write names with !, & or |, and brackets where & and | meet")

type profileParser struct {
	rest   string
	active []string
	depth  int
}

func (p *profileParser) whole() (bool, error) {
	holds, err := p.chain()
	if err == nil && p.rest != "" {
		err = errExpression
	}
	return holds, err
}

// chain reads operands that are all joined by & or all by |.
func (p *profileParser) chain() (bool, error) {
	if p.depth++; p.depth > 100 {
		return false, errExpression
	}
	defer func() { p.depth-- }()
	holds, err := p.operand()
	if err != nil || p.rest == "" || p.rest[0] == ')' {
		return holds, err
	}
	sign := p.rest[0]
	for p.rest != "" && p.rest[0] == sign && (sign == '&' || sign == '|') {
		p.skip(1)
		next, err := p.operand()
		if err != nil {
			return false, err
		}
		if sign == '&' {
			holds = holds && next
		} else {
			holds = holds || next
		}
	}
	return holds, nil
}

func (p *profileParser) operand() (bool, error) {
	switch {
	case strings.HasPrefix(p.rest, "!"):
		if p.depth++; p.depth > 100 {
			return false, errExpression
		}
		defer func() { p.depth-- }()
		p.skip(1)
		holds, err := p.operand()
		return !holds, err
	case strings.HasPrefix(p.rest, "("):
		p.skip(1)
		holds, err := p.chain()
		if err != nil || !strings.HasPrefix(p.rest, ")") {
			return false, errExpression
		}
		p.skip(1)
		return holds, nil
	}
	end := strings.IndexAny(p.rest, "!&|() \t")
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 {
		return false, errExpression
	}
	name := p.rest[:end]
	p.skip(end)
	return slices.Contains(p.active, name), nil
}

func (p *profileParser) skip(count int) { p.rest = strings.TrimLeft(p.rest[count:], " \t") }
