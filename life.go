package groundwork

import (
	"fmt"
	"slices"
	"strings"
)

// Move is one row of the life of a noun: a step of Kind leads from any of From to To, if one of Roles asks for it and the guards
// find in order what they ask for. T is what the guards read: the noun, the step, and what the store knows beyond both.
type Move[T any] struct {
	Kind   string   // what happens, such as CHECKED_IN
	From   []string // states; nil = the beginning
	To     string   // empty = the state stays
	Roles  []Role
	Asks   string // what the guards ask for, in the words of the docs
	Effect string // what follows beside the new state, in the words of the docs
	Guards []func(T) error
}

// Life is the life of a noun as data. Issues have a richer one of their own (Lifecycle).
type Life[T any] struct {
	Noun  string // the table's name, such as visit
	Moves []Move[T]
}

// Find returns the row by which a step of kind may go from a state, or an *Error that says why there is none: no such step, not
// this role, not from here. name is how messages call the thing.
func (l Life[T]) Find(kind, from string, role Role, name string) (Move[T], error) {
	ofKind := keep(l.Moves, func(m Move[T]) bool { return m.Kind == kind })
	if len(ofKind) == 0 {
		return Move[T]{}, Invalid("kind", "a %s has no step %q", l.Noun, kind)
	}
	ofRole := keep(ofKind, func(m Move[T]) bool { return slices.Contains(m.Roles, role) })
	if len(ofRole) == 0 {
		return Move[T]{}, Errorf(CodeForbidden, "%s of a %s is not for role %s; it is for %s", kind, l.Noun, role, join(l.RolesOf(kind)))
	}
	fromHere := keep(ofRole, func(m Move[T]) bool { return m.From == nil && from == "" || slices.Contains(m.From, from) })
	if len(fromHere) == 0 {
		return Move[T]{}, Errorf(CodeTransition, "%s stands at %s; %s by %s is possible from %s", name, from, kind, role, join(statesFrom(ofRole)))
	}
	return fromHere[0], nil
}

// Take finds the row for a step and has its guards examine it.
func (l Life[T]) Take(t T, kind, from string, role Role, name string) (Move[T], error) {
	m, err := l.Find(kind, from, role, name)
	if err != nil {
		return m, err
	}
	for _, g := range m.Guards {
		if err := g(t); err != nil {
			return m, err
		}
	}
	return m, nil
}

// Permitted lists what the role may ask for from a state. The guards decide when it asks.
func (l Life[T]) Permitted(from string, role Role) []string {
	var kinds []string
	for _, m := range l.Moves {
		if slices.Contains(m.From, from) && slices.Contains(m.Roles, role) && !slices.Contains(kinds, m.Kind) {
			kinds = append(kinds, m.Kind)
		}
	}
	return kinds
}

// RolesOf lists the roles that may ask for a kind of step from anywhere.
func (l Life[T]) RolesOf(kind string) []Role {
	var roles []Role
	for _, m := range l.Moves {
		for _, r := range m.Roles {
			if m.Kind == kind && !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return roles
}

func keep[T any](from []T, wanted func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(from), func(t T) bool { return !wanted(t) })
}

func statesFrom[T any](moves []Move[T]) []string {
	var states []string
	for _, m := range moves {
		for _, s := range m.From {
			if !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
	}
	return states
}

// Machine is a life as it is shown: in diagrams, tables of the docs, and tests over all lives.
type Machine struct {
	Noun string
	Rows []MachineRow
}

// MachineRow is one row of a Machine.
type MachineRow struct {
	Kind         string
	From         []string // none = the beginning
	To           string   // empty = the state stays
	Roles        []Role
	Asks, Effect string
}

// Machine returns the life as it is shown.
func (l Life[T]) Machine() Machine {
	m := Machine{Noun: l.Noun}
	for _, r := range l.Moves {
		m.Rows = append(m.Rows, MachineRow{r.Kind, r.From, r.To, r.Roles, r.Asks, r.Effect})
	}
	return m
}

// Diagram draws the machine as a Mermaid state diagram.
func (m Machine) Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, r := range m.Rows {
		if r.To == "" {
			continue
		}
		from := r.From
		if len(from) == 0 {
			from = []string{"[*]"}
		}
		for _, f := range from {
			fmt.Fprintf(&b, "    %s --> %s: %s (%s)\n", f, r.To, r.Kind, join(r.Roles))
		}
	}
	for _, end := range m.ends() {
		fmt.Fprintf(&b, "    %s --> [*]\n", end)
	}
	return b.String()
}

// ends are the states that nothing leads out of.
func (m Machine) ends() []string {
	var reached, left []string
	for _, r := range m.Rows {
		if r.To != "" && !slices.Contains(reached, r.To) {
			reached = append(reached, r.To)
		}
		if r.To != "" {
			left = append(left, keep(r.From, func(s string) bool { return s != r.To })...)
		}
	}
	return keep(reached, func(s string) bool { return !slices.Contains(left, s) })
}

// Table writes the machine as a Markdown table.
func (m Machine) Table() string {
	var b strings.Builder
	b.WriteString("| step | from | to | who | asks for | effect |\n|---|---|---|---|---|---|\n")
	for _, r := range m.Rows {
		from, to := strings.Join(r.From, ", "), r.To
		if len(r.From) == 0 {
			from = "the beginning"
		}
		if to == "" {
			to = "(stays)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.Kind, from, to, join(r.Roles), r.Asks, r.Effect)
	}
	return b.String()
}
