package notification

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/prantikov/millrace/messages"
)

// fieldRule says whether a text may use a field.
type fieldRule bool

const (
	allowed   fieldRule = true
	forbidden fieldRule = false
)

// fieldNames are the fields of a kind with whether a text may use them.
func fieldNames(leaves []messages.Leaf, phi bool) map[string]fieldRule {
	names := map[string]fieldRule{}
	for _, leaf := range leaves {
		names[leaf.Name] = fieldRule(!leaf.PHI || phi)
	}
	for _, name := range []string{"audience", "kind", "type", "action", "entityId", "eventId", "timestamp"} {
		names[name] = allowed
	}
	return names
}

// parsePart reads a subject or a body and checks that it uses nothing that its kind does not have, in any branch.
func parsePart(name, source string, rules map[string]fieldRule) (*template.Template, error) {
	part, err := template.New(name).Option("missingkey=error").Parse(source)
	if err != nil {
		return nil, fmt.Errorf("it is no template: %s", strings.TrimPrefix(err.Error(), "template: "+name+":"))
	}
	for _, one := range part.Templates() {
		if one.Tree == nil {
			continue
		}
		if err := checkNode(one.Root, rules, false); err != nil {
			return nil, err
		}
	}
	return part, nil
}

// checkNode looks for fields in a part of a template. Within range and with, the dot is a text, which has no fields: there $ has them.
func checkNode(node parse.Node, rules map[string]fieldRule, within bool) error {
	check := func(within bool, nodes ...parse.Node) error {
		for _, inner := range nodes {
			if err := checkNode(inner, rules, within); err != nil {
				return err
			}
		}
		return nil
	}
	switch node := node.(type) {
	case *parse.ListNode:
		if node == nil {
			return nil
		}
		return check(within, node.Nodes...)
	case *parse.ActionNode:
		return check(within, node.Pipe)
	case *parse.TemplateNode:
		if node.Pipe == nil {
			return nil
		}
		return check(within, node.Pipe)
	case *parse.PipeNode:
		for _, command := range node.Cmds {
			if err := check(within, command.Args...); err != nil {
				return err
			}
		}
	case *parse.IfNode:
		return check(within, node.Pipe, node.List, node.ElseList)
	case *parse.WithNode:
		if err := check(within, node.Pipe, node.ElseList); err != nil {
			return err
		}
		return check(true, node.List)
	case *parse.RangeNode:
		if err := check(within, node.Pipe, node.ElseList); err != nil {
			return err
		}
		return check(true, node.List)
	case *parse.FieldNode:
		return checkField(node.Ident, rules, within)
	case *parse.VariableNode:
		if node.Ident[0] == "$" {
			return checkField(node.Ident[1:], rules, false)
		}
		return checkField(node.Ident[1:], nil, true)
	case *parse.ChainNode:
		return checkField(node.Field, nil, true)
	}
	return nil
}

// checkField checks one use: .status. Every field is a text, so there is none inside of one.
func checkField(path []string, rules map[string]fieldRule, within bool) error {
	if len(path) == 0 {
		return nil
	}
	name := strings.Join(path, ".")
	rule, known := rules[path[0]]
	switch {
	case within && len(path) == 1 && !known:
		return fmt.Errorf("it uses .%s of something that has no fields: within range and with, $.%s is the event's", name, name)
	case within:
		return fmt.Errorf("it uses .%s within range or with, where the dot is another: write $.%s", name, name)
	case !known || len(path) > 1:
		return fmt.Errorf("it uses the field .%s, which the event does not have: there are %s", name, strings.Join(usable(rules), ", "))
	case rule == forbidden:
		return fmt.Errorf("it uses the field .%s, which is patient data: notification.phi_templates lets it", name)
	}
	return nil
}

func usable(rules map[string]fieldRule) []string {
	names := slices.Sorted(maps.Keys(rules))
	return slices.DeleteFunc(names, func(name string) bool { return rules[name] == forbidden })
}

// tryOut fills the text in with values and with none, so that what cannot be executed is found at start.
func (t *text) tryOut(rules map[string]fieldRule) error {
	for _, value := range []string{"", "value"} {
		fields := make(map[string]string, len(rules))
		for name := range rules {
			fields[name] = value
		}
		for _, part := range []*template.Template{t.subject, t.body} {
			if err := part.Execute(new(strings.Builder), fields); err != nil {
				return fmt.Errorf("it cannot be filled in: %w", err)
			}
		}
	}
	return nil
}

// isFixed says whether a template is plain text.
func isFixed(part *template.Template) bool {
	if len(part.Templates()) > 1 {
		return false
	}
	for _, node := range part.Root.Nodes {
		if node.Type() != parse.NodeText {
			return false
		}
	}
	return true
}
